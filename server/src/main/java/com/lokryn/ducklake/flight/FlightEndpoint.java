package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.auth.Authenticator;
import com.lokryn.ducklake.auth.TlsMaterial;
import com.lokryn.ducklake.engine.ArrowTypes;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.observe.Counts;
import com.lokryn.ducklake.observe.Limit;
import com.lokryn.ducklake.observe.Redaction;
import com.lokryn.ducklake.observe.Tracing;
import com.lokryn.ducklake.observe.Usage;
import com.lokryn.ducklake.query.Expiring;
import com.lokryn.ducklake.query.IngestService;
import com.lokryn.ducklake.query.Lanes;
import com.lokryn.ducklake.query.PreparedQuery;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryService;
import com.lokryn.ducklake.query.Results;
import com.lokryn.ducklake.query.Session;
import com.lokryn.ducklake.query.Sessions;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The gRPC server: Flight SQL and the health service on one port. */
public final class FlightEndpoint implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FlightEndpoint.class);

  /** What one message of an upload may hold; for other requests see {@link RequestLimit}. */
  static final int MAX_INBOUND_BYTES = 256 << 20;

  static final int MAX_HEADER_BYTES = 64 << 10;

  /** At least bandwidth times delay of a client: 8 MiB is 2 Gbit/s at 30 ms. */
  private static final int FLOW_CONTROL_WINDOW_BYTES = 8 << 20;

  /** Below the 350 s after which a network load balancer forgets a silent connection. */
  private static final long KEEP_ALIVE_SECONDS = 60;

  private static final long KEEP_ALIVE_TIMEOUT_SECONDS = 20;
  private static final long PERMITTED_KEEP_ALIVE_SECONDS = 10;

  static final int MAX_CALLS_PER_CONNECTION = 256;
  private static final long SWEEP_MS = 250;

  /** How long calls may take to end that were cancelled, and connections that were told to. */
  private static final Duration LAST_CALLS = Duration.ofMillis(500);

  /**
   * How long the end waits for clients to come for their results: drivers do within milliseconds.
   */
  private static final Duration LAST_FETCHES = Duration.ofSeconds(5);

  private static final long DRAIN_STEP_MS = 10;

  /**
   * What a server needs that others made; it closes none of it.
   *
   * @param maxConnections how many clients may have open
   * @param tls null for none
   * @param handles signs what clients carry
   * @param tracing null for none
   */
  public record Parts(
      EngineThreads threads,
      Lanes lanes,
      QueryService queries,
      IngestService ingests,
      ArrowTypes types,
      Sessions sessions,
      Authenticator authenticator,
      int maxConnections,
      @Nullable TlsMaterial tls,
      Handles handles,
      Redaction redaction,
      BufferAllocator allocator,
      InstantSource clock,
      Usage usage,
      Counts<Limit> refusals,
      @Nullable Tracing tracing) {}

  /**
   * How long clients may take.
   *
   * @param idle a prepared statement or transaction that is not used
   * @param stall a result that is not read
   */
  public record Patience(Duration idle, Duration stall) {}

  private final OpenCalls calls = new OpenCalls();
  private final Senders senders = new Senders();
  private final Uploads uploads;
  private final HealthStatusManager health = new HealthStatusManager();
  private final ExecutorService callbacks =
      Executors.newCachedThreadPool(Thread.ofPlatform().name("upload-", 0).daemon().factory());
  private final ScheduledExecutorService sweeper =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("sweeper").daemon().factory());
  private final Sessions sessions;
  private final Executor closers;
  private final Results results;
  private final Expiring<PreparedQuery> prepared;
  private final Expiring<TransactionHandler.Open> transactions;
  private final Expiring<PollHandler.Polled> polled;
  private final Sockets sockets;
  private final @Nullable RenewableTls tls;
  private final Server server;

  /** Binds the port; port 0 takes any that is free. */
  public FlightEndpoint(InetSocketAddress address, Parts parts, Patience patience)
      throws IOException {
    EngineThreads threads = parts.threads;
    sessions = parts.sessions;
    Lanes lanes = parts.lanes;
    closers = threads.closers();
    results = new Results(parts.clock, closers);
    prepared =
        new Expiring<>(parts.clock, patience.idle, query -> query.session().isBusy(), this::close);
    transactions =
        new Expiring<>(
            parts.clock,
            patience.idle,
            TransactionHandler.Open::isBusy,
            transaction -> closers.execute(transaction::close));
    Handles handles = parts.handles;
    var errors = new FlightErrors(parts.redaction, parts.refusals);
    var requests = new Calls(lanes, errors, parts.usage);
    var transactionHandler = new TransactionHandler(parts.queries, sessions, transactions, handles);
    var schemas = new SchemaBytes();
    var infos = new FlightInfos(schemas);
    var statements =
        new StatementHandler(parts.queries, results, transactionHandler, infos, handles);
    var preparedHandler =
        new PreparedHandler(
            parts.queries, statements, transactionHandler, prepared, schemas, handles);
    var metadata =
        new MetadataHandler(
            parts.queries, new ServerInfo(patience.idle), parts.types, parts.allocator);
    uploads =
        new Uploads(
            requests,
            new UploadHandler(
                statements,
                preparedHandler,
                transactionHandler,
                parts.ingests,
                lanes,
                parts.allocator),
            errors,
            parts.clock,
            parts.usage);
    var streamHandler =
        new StreamHandler(
            requests,
            statements,
            metadata,
            results,
            senders,
            lanes,
            closers,
            errors,
            parts.allocator,
            parts.clock,
            schemas,
            parts.usage);
    polled = PollHandler.kept(parts.clock);
    sessions.onKill(this::ending);
    var sessionHandler = new SessionHandler(parts.queries, sessions, this::ending);
    var service =
        new LakeFlightService(
            requests,
            statements,
            preparedHandler,
            infos,
            schemas,
            planner ->
                new PollHandler(
                    requests, planner, lanes.statements(), polled, parts.clock, handles),
            polls ->
                new Actions(
                    requests,
                    statements,
                    preparedHandler,
                    transactionHandler,
                    sessionHandler,
                    polls,
                    results));
    tls = parts.tls == null ? null : new RenewableTls(parts.tls);
    var builder = NettyServerBuilder.forAddress(address);
    sockets = new Sockets(parts.maxConnections, parts.clock, parts.refusals);
    sockets.serve(builder);
    if (tls != null) {
      builder.sslContext(tls);
    }
    builder
        .addService(FlightMethods.of(service, streamHandler, uploads, parts.allocator))
        .addService(RequestLimit.on(health.getHealthService()))
        .addTransportFilter(
            Connections.naming(sessions::begin, key -> closers.execute(() -> gone(key))))
        .intercept(new SessionDoor(sessions, handles, parts.authenticator.tokens(), errors))
        .intercept(sockets)
        .intercept(new Door(parts.authenticator, parts.refusals))
        .intercept(new CallHeaders())
        .intercept(new RequestLimit(parts.refusals))
        .intercept(calls);
    if (parts.tracing != null) {
      builder.intercept(new Traced(parts.tracing));
    }
    server =
        builder
            // Handlers only hand over to the engine's threads, so the event loop may call them.
            .directExecutor()
            .callExecutor(uploadsOn(callbacks))
            .maxInboundMessageSize(MAX_INBOUND_BYTES)
            .maxInboundMetadataSize(MAX_HEADER_BYTES)
            .flowControlWindow(FLOW_CONTROL_WINDOW_BYTES)
            .maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
            .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            .permitKeepAliveTime(PERMITTED_KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .build()
            .start();
    var _ =
        sweeper.scheduleWithFixedDelay(
            () -> sweep(parts.queries, lanes, patience), SWEEP_MS, SWEEP_MS, TimeUnit.MILLISECONDS);
  }

  /** The port that was bound. */
  public int port() {
    return server.getPort();
  }

  /** The full names of all methods that are answered. */
  public List<String> methods() {
    return server.getServices().stream()
        .flatMap(service -> service.getMethods().stream())
        .map(method -> method.getMethodDescriptor().getFullMethodName())
        .toList();
  }

  /** Uses other certificates for new connections, where there is TLS. */
  public void use(TlsMaterial material) {
    if (tls != null) {
      try {
        tls.use(material);
      } catch (SSLException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Tells health checks whether the server takes queries. */
  public void serving(boolean serving) {
    health.setStatus(
        HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
        serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  }

  /** Connections that clients have open now. */
  public int openConnections() {
    return sockets.count();
  }

  /** Prepared statements that clients have now. */
  public int preparedStatements() {
    return (int) prepared.count(_ -> true);
  }

  /** Results that wait for their clients now. */
  public int waitingResults() {
    return results.waiting();
  }

  /** What the transport holds outside of the heap, in bytes; not a number where that is unknown. */
  public static double transportBytes() {
    long bytes = PlatformDependent.usedDirectMemory();
    return bytes < 0 ? Double.NaN : bytes;
  }

  /** Results that are on their way to clients now. */
  public int openStreams() {
    return senders.count();
  }

  /**
   * Stops taking statements, lets those that run end and results be fetched that wait, and sends
   * clients to another server as soon as they have nothing here.
   *
   * @param hurry ends the waiting at once when it is counted down
   * @return true when all ended in time; the others are interrupted
   */
  public boolean drain(Duration timeout, CountDownLatch hurry) throws InterruptedException {
    health.enterTerminalState();
    calls.stop();
    boolean ended = awaitEnd(timeout, hurry);
    if (!ended) {
      senders.cancelAll(Problem.UNAVAILABLE, "the server is stopping");
      uploads.cancelAll(Problem.UNAVAILABLE, "the server is stopping");
      var _ = calls.awaitNone(LAST_CALLS);
    }
    calls.awaitArrival();
    server.shutdown();
    var _ = server.awaitTermination(LAST_CALLS.toMillis(), TimeUnit.MILLISECONDS);
    return ended;
  }

  private boolean awaitEnd(Duration timeout, CountDownLatch hurry) throws InterruptedException {
    long begin = System.nanoTime();
    boolean isHurried = false;
    while (true) {
      Duration passed = Duration.ofNanos(System.nanoTime() - begin);
      boolean isOver = isHurried || passed.compareTo(timeout) >= 0;
      // A client that is sent away would ask another server for its result, which is here only.
      boolean areFetched = results.waiting() == 0 || passed.compareTo(LAST_FETCHES) >= 0 || isOver;
      if (areFetched) {
        sockets.sendAway(calls::areNoneOf);
      }
      if (areFetched && calls.areNone()) {
        return true;
      }
      if (isOver) {
        return false;
      }
      isHurried = hurry.await(DRAIN_STEP_MS, TimeUnit.MILLISECONDS);
    }
  }

  private void sweep(QueryService queries, Lanes lanes, Patience patience) {
    for (Runnable part :
        List.<Runnable>of(
            () -> uploads.checkStalls(patience.stall),
            queries::sweep,
            lanes::sweep,
            results::sweep,
            prepared::sweep,
            transactions::sweep,
            polled::sweep,
            sockets::sweep,
            this::endIdle,
            () -> senders.checkStalls(patience.stall))) {
      try {
        part.run();
      } catch (RuntimeException e) {
        // The scheduler would never run it again.
        LOG.atError().setCause(e).log("ending what is overdue failed");
      }
    }
  }

  /** A client's connection has ended, and with it all that only it could ask for. */
  private void gone(String key) {
    sessions.end(key, this::ending);
  }

  private void endIdle() {
    for (Session session : sessions.takeIdle()) {
      ending(session);
      closers.execute(session::close);
    }
  }

  private void ending(Session session) {
    polled.endIf(query -> query.session() == session);
    results.endSession(session);
    prepared.endIf(query -> query.session() == session);
    transactions.endIf(transaction -> transaction.owner() == session);
  }

  private void close(PreparedQuery query) {
    if (!query.closeUnplanned()) {
      closers.execute(() -> closeQuietly(query));
    }
  }

  private static void closeQuietly(PreparedQuery query) {
    try {
      query.close();
    } catch (EngineException _) {
      // Forgotten by its client already.
    }
  }

  /** Uploads are decoded off the event loop, which would otherwise copy while it could read. */
  private static ServerCallExecutorSupplier uploadsOn(Executor executor) {
    return new ServerCallExecutorSupplier() {
      @Override
      public <Q, A> @Nullable Executor getExecutor(ServerCall<Q, A> call, Metadata headers) {
        MethodDescriptor<Q, A> method = call.getMethodDescriptor();
        return "DoPut".equals(method.getBareMethodName()) ? executor : null;
      }
    };
  }

  @Override
  public void close() {
    server.shutdownNow();
    sockets.close();
    sweeper.shutdownNow();
    callbacks.shutdownNow();
    results.close();
    prepared.close();
    transactions.close();
    polled.close();
  }
}
