package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.TypeFacts;
import com.lokryn.ducklake.observe.Usage;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntSupplier;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.message.ArrowDictionaryBatch;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.DictionaryUtility;

/**
 * The answer of one DoGet. Nothing here waits: who sends asks {@link #isReady} first. Used by one
 * thread at a time; the call-backs come on the transport's threads.
 */
final class BatchOutput {
  private final ServerCallStreamObserver<WireMessage> observer;
  private final SendWindow window;
  private final SchemaBytes schemas;
  private final Usage usage;
  private volatile Runnable onReady = () -> {};
  private volatile Runnable onCancel = () -> {};

  /**
   * To be made on the thread that the call arrives on.
   *
   * @param streams how many results are on their way
   * @param usage where the bytes of batches are counted
   */
  BatchOutput(
      ServerCallStreamObserver<WireMessage> observer,
      SchemaBytes schemas,
      IntSupplier streams,
      Usage usage) {
    this.window = new SendWindow(streams, System::nanoTime, () -> onReady.run());
    this.schemas = schemas;
    this.observer = observer;
    this.usage = usage;
    // The window says how much may wait, for which gRPC's 32 KiB would be too little.
    observer.setOnReadyThreshold((int) SendWindow.MAX_BYTES);
    observer.setOnReadyHandler(() -> onReady.run());
    observer.setOnCancelHandler(() -> onCancel.run());
  }

  /** Whom to tell that there is room again, and that the client has gone. */
  void listen(Runnable ready, Runnable cancelled) {
    onReady = ready;
    onCancel = cancelled;
  }

  boolean isReady() {
    return window.hasRoom() && observer.isReady();
  }

  boolean isCancelled() {
    return observer.isCancelled();
  }

  /** Sends the schema, and the dictionaries of its ENUM columns, which must be filled by now. */
  void start(VectorSchemaRoot root, DictionaryProvider dictionaries) {
    if (!TypeFacts.hasDictionary(root.getSchema())) {
      observer.onNext(WireMessage.schema(schemas.of(root.getSchema())));
      return;
    }
    Set<Long> used = new HashSet<>();
    observer.onNext(
        WireMessage.schema(
            new Schema(
                root.getSchema().getFields().stream()
                    .map(field -> DictionaryUtility.toMessageFormat(field, dictionaries, used))
                    .toList(),
                root.getSchema().getCustomMetadata())));
    for (long id : used) {
      FieldVector values = dictionaries.lookup(id).getVector();
      // Not closed: it does not own the vector.
      var only = new VectorSchemaRoot(List.of(values));
      try (var batch =
          new ArrowDictionaryBatch(id, new VectorUnloader(only).getRecordBatch(), false)) {
        observer.onNext(WireMessage.dictionary(batch));
        usage.sent(batch.computeBodyLength());
      }
    }
  }

  /** Sends what the root holds; the root may then be loaded anew. */
  void put(VectorSchemaRoot root) {
    try (var batch = new VectorUnloader(root).getRecordBatch()) {
      long bytes = batch.computeBodyLength();
      window.sent(bytes);
      observer.onNext(WireMessage.batch(batch, () -> window.taken(bytes)));
      usage.sent(bytes);
    }
  }

  void complete() {
    observer.onCompleted();
  }

  void fail(Throwable status) {
    observer.onError(status);
  }
}
