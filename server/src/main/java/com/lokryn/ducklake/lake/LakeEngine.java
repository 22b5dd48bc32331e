package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.Engine;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineOptions;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.observe.Redaction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine with the lake in it. An instance that DuckDB declares invalid (after an internal error
 * it refuses all further work) is given up and opened anew; meanwhile nothing connects and the
 * server says that it is not ready. Thread-safe.
 */
public final class LakeEngine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LakeEngine.class);
  private static final long RETRY_MS = 1_000;

  /**
   * What DuckDB says of a local catalog that the lost instance does not let go of, as after an
   * internal error in a commit. Then only a new process helps.
   */
  private static final String STILL_HELD = "Unique file handle conflict";

  private static final int HOPELESS_ATTEMPTS = 5;
  private static final int RENEW_ATTEMPTS = 30;

  private final EngineOptions options;
  private final LakeCatalog catalog;
  private final BufferAllocator allocator;
  private final Consumer<Boolean> onReady;
  private final Runnable onHopeless;
  private final AtomicReference<@Nullable Engine> current = new AtomicReference<>();

  /** Instances before the current one that something uses yet. */
  private final Set<Engine> retired = ConcurrentHashMap.newKeySet();

  private final boolean spillDirectoryWasThere;
  private final AtomicInteger opened = new AtomicInteger();

  /** Tells the files of this process from those of one that was killed, or has the same number. */
  private final String run = UUID.randomUUID().toString().substring(0, 8);

  private final CountDownLatch stop = new CountDownLatch(1);
  private final AtomicBoolean looking = new AtomicBoolean();

  /**
   * @param onReady told when the lake can no longer be queried, and when it can again
   * @param onHopeless told when it will not be possible again in this process
   */
  public LakeEngine(
      EngineOptions options,
      LakeCatalog catalog,
      BufferAllocator allocator,
      Consumer<Boolean> onReady,
      Runnable onHopeless) {
    this.options = options;
    this.catalog = catalog;
    this.allocator = allocator;
    this.onReady = onReady;
    this.onHopeless = onHopeless;
    this.spillDirectoryWasThere = Files.isDirectory(options.temporaryDirectory());
  }

  /** Opens the engine and attaches the lake. */
  public void open() throws EngineException, StartException {
    current.set(opened());
  }

  private Engine opened() throws EngineException, StartException {
    catalog.prepare();
    Engine engine =
        Engine.open(options.spillingTo(spillDirectory()), LakeCatalog.NAMESPACE, allocator);
    try {
      catalog.attach(engine);
      return engine;
    } catch (StartException | RuntimeException e) {
      engine.close();
      throw e;
    }
  }

  /**
   * Instances name the files that they spill to alike, and delete those of that name when they
   * close: two that spill to one directory would read each other's.
   */
  private Path spillDirectory() {
    try {
      // DuckDB makes a directory, but not what is above it.
      Files.createDirectories(options.temporaryDirectory());
    } catch (IOException e) {
      LOG.warn("nothing can be spilled to disk: {}", e.getClass().getSimpleName());
    }
    return options.temporaryDirectory().resolve("engine-" + run + "-" + opened.incrementAndGet());
  }

  /**
   * Attaches the lake anew, as it is to be reached now, in an instance that serves all that begins
   * from here on. DuckDB connects to Postgres as it was told when the lake was attached. What runs
   * in the instance before, or has its transaction or temporary tables there, goes on; when that
   * has ended it is closed.
   *
   * @throws StartException when that fails: the instance before goes on serving
   */
  public void renew() throws EngineException, StartException {
    Engine before = awaited();
    if (before == null) {
      // It is opened anew with whatever the lake is told by then.
      return;
    }
    Engine next = opened();
    try {
      catalog.check(next);
    } catch (StartException | RuntimeException e) {
      next.close();
      throw e;
    }
    if (!current.compareAndSet(before, next)) {
      // Closed, or lost meanwhile: then it is opened anew.
      next.close();
      return;
    }
    retired.removeIf(Engine::isClosed);
    retired.add(before);
    before.retire();
    if (isClosed()) {
      close();
    }
  }

  /** The instance; one that is being opened anew may have begun with what is no longer right. */
  private @Nullable Engine awaited() {
    Engine found = current.get();
    for (int i = 0; found == null && i < RENEW_ATTEMPTS && !isClosed(); i++) {
      pause();
      found = current.get();
    }
    return found;
  }

  /** Work on the instance itself. */
  public interface Setup {
    void run(Engine engine) throws EngineException;
  }

  /** Changes the set-up of the present instance; one that is opened later has it from its lake. */
  public void set(Setup change) throws EngineException {
    change.run(engine());
  }

  /** The same, and for the instances before, as long as something uses them. */
  public void setEverywhere(Setup change) throws EngineException {
    for (Engine engine : retired) {
      try {
        change.run(engine);
      } catch (EngineException e) {
        if (!engine.isClosed()) {
          throw e;
        }
      }
    }
    set(change);
  }

  /** Proves that the lake answers. */
  public void check() throws EngineException, StartException {
    catalog.check(engine());
  }

  public EngineConnection connect(Namespace namespace) throws EngineException {
    while (true) {
      Engine engine = engine();
      try {
        return engine.connect(namespace);
      } catch (EngineException e) {
        if (current.get() == engine) {
          throw e;
        }
        // It was replaced in between.
      }
    }
  }

  /** As {@link Engine#connectWithin}, of the present instance. */
  public Optional<EngineConnection> connectWithin(Namespace namespace, long snapshot)
      throws EngineException {
    Engine engine = current.get();
    return engine == null ? Optional.empty() : engine.connectWithin(namespace, snapshot);
  }

  private boolean isClosed() {
    return stop.getCount() == 0;
  }

  public boolean isReady() {
    return current.get() != null;
  }

  /** Connections that statements hold now. */
  public int openConnections() {
    Engine engine = current.get();
    return (engine == null ? 0 : engine.openConnections())
        + retired.stream().mapToInt(Engine::openConnections).sum();
  }

  /** Instances that were replaced and are not closed yet. */
  public int retiredInstances() {
    retired.removeIf(Engine::isClosed);
    return retired.size();
  }

  /**
   * Looks at a failure, and replaces the instance if it was lost with it. The text alone does not
   * tell: a client can write any text into an error, so the instance itself is asked.
   */
  public void failed(EngineException failure) {
    Engine engine = current.get();
    if (failure.isInstanceLost() && engine != null && engine.isInvalidated()) {
      replace(engine, failure);
    } else if (failure.error() == EngineError.CATALOG_BUSY && engine != null) {
      startLookingForLeak(engine);
    }
  }

  /**
   * DuckDB's pool never gets a connection back that Postgres ended in a commit, and in time has
   * none left. Looking takes as long as a statement waits for one: not in the statement's thread.
   */
  private void startLookingForLeak(Engine engine) {
    if (looking.compareAndSet(false, true)) {
      EngineThreads.factory("catalog-check").newThread(() -> lookForLeak(engine)).start();
    }
  }

  private void lookForLeak(Engine engine) {
    try {
      if (isFarBelow(engine)) {
        catalog.ask(engine);
      }
    } catch (EngineException e) {
      if (e.error() == EngineError.CATALOG_BUSY && isFarBelow(engine)) {
        replace(engine, e);
      }
    } finally {
      looking.set(false);
    }
  }

  /** True when statements can not be what holds all of the catalog's connections. */
  private boolean isFarBelow(Engine engine) {
    return 2 * engine.openConnections() < catalog.maxConnections();
  }

  /** Gives up the present instance and opens a new one. */
  public void lost(EngineException failure) {
    Engine engine = current.get();
    if (engine != null) {
      replace(engine, failure);
    }
  }

  private void replace(Engine lost, EngineException failure) {
    // A late failure of an instance that was replaced already changes nothing.
    if (isClosed() || !current.compareAndSet(lost, null)) {
      return;
    }
    LOG.atError()
        .addKeyValue("error", Redaction.withoutValues(failure.text()))
        .log("the engine is lost and opened anew");
    onReady.accept(false);
    EngineThreads.factory("engine-rebuild").newThread(() -> rebuild(lost)).start();
  }

  private void rebuild(Engine lost) {
    try {
      // A local catalog's file can be opened again only when the old instance is gone.
      lost.close();
    } catch (RuntimeException e) {
      LOG.atWarn().addKeyValue("error", e.getMessage()).log("the lost engine did not close well");
    }
    for (int attempt = 1; !isClosed(); attempt++) {
      try {
        open();
        onReady.accept(true);
        LOG.info("the engine is back");
        return;
      } catch (EngineException | StartException | RuntimeException e) {
        LOG.atError().addKeyValue("error", e.getMessage()).log("the engine cannot be opened");
        if (attempt >= HOPELESS_ATTEMPTS && String.valueOf(e.getMessage()).contains(STILL_HELD)) {
          onHopeless.run();
          return;
        }
        pause();
      }
    }
  }

  private void pause() {
    try {
      var _ = stop.await(RETRY_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Engine engine() throws EngineException {
    Engine engine = current.get();
    if (engine == null) {
      throw new EngineException(
          EngineError.CONNECTION,
          "Connection Error: the engine is being opened anew; try again in a moment");
    }
    return engine;
  }

  @Override
  public void close() {
    stop.countDown();
    Engine engine = current.getAndSet(null);
    if (engine != null) {
      engine.close();
    }
    retired.forEach(Engine::close);
    if (!spillDirectoryWasThere) {
      deleteSpillDirectory();
    }
  }

  private void deleteSpillDirectory() {
    try {
      Files.deleteIfExists(options.temporaryDirectory());
    } catch (IOException e) {
      // Something else is in it.
      LOG.debug("{} stays: {}", options.temporaryDirectory(), e.getClass().getSimpleName());
    }
  }
}
