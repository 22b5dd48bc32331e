package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.query.Admission;
import com.lokryn.ducklake.query.Batches;
import com.lokryn.ducklake.query.Cancellation;
import com.lokryn.ducklake.query.Outcome;
import com.lokryn.ducklake.query.Problem;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.jspecify.annotations.Nullable;

/**
 * Sends the batches of one result as fast as its client takes them. It never waits: when the
 * transport has enough it gives its slot back, and the transport's call-back has it wait for
 * another one, so a slow client costs a batch of memory and no thread. A quick one makes room for
 * others that wait. Exactly one of its steps runs at a time, on any thread.
 */
final class BatchSender implements Runnable {
  /**
   * Above this a batch is sent in slices. Drivers refuse messages over 16 MiB (ADBC's default), and
   * a batch carries framing too. A single row that is larger goes alone.
   */
  static final long MAX_BATCH_BYTES = 8L << 20;

  private record Slice(int from, int count) {}

  private final Batches batches;
  private final BatchOutput output;
  private final Admission.Claim turn;
  private final Executor closers;
  private final FlightErrors errors;
  private final InstantSource clock;
  private final Runnable onEnd;

  /** Calls to {@link #schedule} that no step has answered yet. */
  private final AtomicInteger requests = new AtomicInteger();

  private final Deque<Slice> slices = new ArrayDeque<>();
  private @Nullable VectorSchemaRoot sliced;
  private boolean started;
  private volatile boolean ended;
  private volatile @Nullable Instant waitingSince;

  /**
   * @param turn asked for a slot whenever there is something to do for the engine
   * @param closers threads that may enter the engine, to close what is over
   */
  BatchSender(
      Batches batches,
      BatchOutput output,
      Admission.Claim turn,
      Executor closers,
      FlightErrors errors,
      InstantSource clock,
      Runnable onEnd) {
    this.batches = batches;
    this.output = output;
    this.turn = turn;
    this.closers = closers;
    this.errors = errors;
    this.clock = clock;
    this.onEnd = onEnd;
  }

  /**
   * Begins, and returns at once. What is at hand is sent from the calling thread: a small result
   * needs no other.
   */
  void start() {
    output.listen(this::schedule, this::clientCancelled);
    batches.cancellation().onCancel(this::schedule);
    if (output.isCancelled()) {
      // It happened before the handler was there.
      clientCancelled();
    }
    if (requests.getAndIncrement() == 0) {
      var _ = step(true);
      if (!ended) {
        turn.run(this);
      }
    }
  }

  /** Ends the stream with an error if its client has not read for too long. */
  void checkStall(Duration limit) {
    Instant since = waitingSince;
    if (since != null && since.plus(limit).isBefore(clock.instant())) {
      batches
          .cancellation()
          .cancel(
              Problem.STALLED,
              "the client has not read this result for %d seconds".formatted(limit.toSeconds()));
    }
  }

  void cancel(Problem problem, String text) {
    batches.cancellation().cancel(problem, text);
  }

  private void clientCancelled() {
    clientCancelled(batches.cancellation());
  }

  static void clientCancelled(Cancellation cancellation) {
    cancellation.cancel(Problem.CANCELLED, "the client cancelled");
  }

  private void schedule() {
    if (requests.getAndIncrement() == 0) {
      turn.run(this);
    }
  }

  @Override
  public void run() {
    int answered;
    do {
      answered = requests.get();
      if (!ended && !step(false)) {
        turn.run(this);
        return;
      }
    } while (requests.addAndGet(-answered) != 0);
  }

  /**
   * @param onlyAtHand true on a thread that must not enter the engine
   * @return false when there is more to do, in another slot
   */
  private boolean step(boolean onlyAtHand) {
    try {
      waitingSince = null;
      while (!onlyAtHand || (batches.isAtHand() && slices.isEmpty())) {
        batches.cancellation().check();
        if (!output.isReady()) {
          waitingSince = clock.instant();
          return true;
        }
        if (!sendNext()) {
          end(batches.done(), onlyAtHand);
          return true;
        }
        if (turn.isOver()) {
          return false;
        }
      }
    } catch (Throwable t) {
      // Whatever it was, the client must not take what it has for the whole.
      fail(t, onlyAtHand);
    }
    return true;
  }

  /** Sends one message; false when there was none left. */
  private boolean sendNext() throws Exception {
    Slice slice = slices.poll();
    if (slice != null) {
      sendSlice(slice);
      return true;
    }
    boolean loaded = batches.next();
    if (!started) {
      started = true;
      // Only now are the dictionaries of ENUM columns filled.
      output.start(batches.root(), batches.dictionaries());
    }
    if (!loaded) {
      return false;
    }
    VectorSchemaRoot root = batches.root();
    if (bytes(root) > MAX_BATCH_BYTES && root.getRowCount() > 1) {
      cut(root);
      sendSlice(slices.remove());
    } else {
      output.put(root);
    }
    return true;
  }

  private void cut(VectorSchemaRoot root) {
    var whole = VectorSchemaRoot.create(root.getSchema(), root.getVector(0).getAllocator());
    try (var batch = new VectorUnloader(root).getRecordBatch()) {
      new VectorLoader(whole).load(batch);
    }
    sliced = whole;
    int rows = root.getRowCount();
    int each = (int) Math.max(1, rows * (MAX_BATCH_BYTES / 2) / Math.max(1, bytes(root)));
    for (int from = 0; from < rows; from += each) {
      slices.add(new Slice(from, Math.min(each, rows - from)));
    }
  }

  private void sendSlice(Slice slice) {
    VectorSchemaRoot whole = java.util.Objects.requireNonNull(sliced);
    Slice fitting = slice;
    VectorSchemaRoot part = whole.slice(fitting.from, fitting.count);
    while (bytes(part) > MAX_BATCH_BYTES && fitting.count > 1) {
      // Rows of very different widths: halve until it fits.
      part.close();
      int half = fitting.count / 2;
      slices.addFirst(new Slice(fitting.from + half, fitting.count - half));
      fitting = new Slice(fitting.from, half);
      part = whole.slice(fitting.from, fitting.count);
    }
    try (var closing = part) {
      output.put(closing);
    }
    if (slices.isEmpty()) {
      whole.close();
      sliced = null;
    }
  }

  private void fail(Throwable thrown, boolean elsewhere) {
    StatusRuntimeException status = errors.status(thrown);
    ended = true;
    if (!output.isCancelled()) {
      output.fail(status);
    }
    finish(Outcome.of(thrown), elsewhere);
  }

  private void end(Outcome outcome, boolean elsewhere) {
    ended = true;
    // The client first: it has all it waits for.
    output.complete();
    finish(outcome, elsewhere);
  }

  /**
   * @param elsewhere true when this thread must not enter the engine, as closing does
   */
  private void finish(Outcome outcome, boolean elsewhere) {
    if (elsewhere) {
      closers.execute(() -> finish(outcome, false));
      return;
    }
    if (sliced != null) {
      sliced.close();
      sliced = null;
    }
    try {
      batches.finish(outcome);
    } finally {
      onEnd.run();
    }
  }

  private static long bytes(VectorSchemaRoot root) {
    long bytes = 0;
    for (FieldVector vector : root.getFieldVectors()) {
      bytes += vector.getBufferSize();
    }
    return bytes;
  }
}
