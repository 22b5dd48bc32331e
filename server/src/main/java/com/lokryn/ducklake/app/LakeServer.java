package com.lokryn.ducklake.app;

import com.lokryn.ducklake.auth.Authenticator;
import com.lokryn.ducklake.auth.TlsFiles;
import com.lokryn.ducklake.auth.TlsWatch;
import com.lokryn.ducklake.auth.Users;
import com.lokryn.ducklake.cache.ResultCache;
import com.lokryn.ducklake.config.DataSize;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.HttpConsole;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.ArrowTypes;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineOptions;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.engine.MachineMemory;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.flight.FlightEndpoint;
import com.lokryn.ducklake.flight.FlightEndpoint.Parts;
import com.lokryn.ducklake.flight.FlightEndpoint.Patience;
import com.lokryn.ducklake.flight.Handles;
import com.lokryn.ducklake.gate.Gate;
import com.lokryn.ducklake.http.Console;
import com.lokryn.ducklake.http.OpsServer;
import com.lokryn.ducklake.lake.Lake;
import com.lokryn.ducklake.lake.LakeCatalog;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.lake.LocalLake;
import com.lokryn.ducklake.lake.RemoteLake;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.EngineErrors;
import com.lokryn.ducklake.observe.Metrics;
import com.lokryn.ducklake.observe.Numbers;
import com.lokryn.ducklake.observe.QueryListener;
import com.lokryn.ducklake.observe.QueryLog;
import com.lokryn.ducklake.observe.Readiness;
import com.lokryn.ducklake.observe.Redaction;
import com.lokryn.ducklake.observe.Tracing;
import com.lokryn.ducklake.query.ActiveQueries;
import com.lokryn.ducklake.query.Administration;
import com.lokryn.ducklake.query.Explanations;
import com.lokryn.ducklake.query.IngestKeys;
import com.lokryn.ducklake.query.IngestService;
import com.lokryn.ducklake.query.KeyLock;
import com.lokryn.ducklake.query.Lanes;
import com.lokryn.ducklake.query.QueryHistory;
import com.lokryn.ducklake.query.QueryService;
import com.lokryn.ducklake.query.Renewal;
import com.lokryn.ducklake.query.Session;
import com.lokryn.ducklake.query.Sessions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.memory.unsafe.UnsafeAllocationManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server: makes its parts in the order in which they need each other, and takes them down in
 * reverse.
 */
public final class LakeServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LakeServer.class);

  /** A Network Load Balancer that asks every 5 s sees two failures within it. */
  private static final Duration DRAIN_DELAY = Duration.ofSeconds(15);

  /** Memory straight from the system: what a stream no longer needs is given back. */
  private final BufferAllocator allocator =
      new RootAllocator(
          RootAllocator.configBuilder()
              .allocationManagerFactory(UnsafeAllocationManager.FACTORY)
              .build());

  private final BufferAllocator keptResults =
      allocator.newChildAllocator("kept results", 0, Long.MAX_VALUE);

  private final AtomicReference<@Nullable FlightEndpoint> endpoint = new AtomicReference<>();
  private final AtomicReference<@Nullable OpsServer> ops = new AtomicReference<>();
  private final AtomicReference<@Nullable Explanations> explanations = new AtomicReference<>();
  private final AtomicReference<@Nullable TlsWatch> tls = new AtomicReference<>();
  private final Readiness readiness = new Readiness();
  private final Probes probes = new Probes(readiness);
  private final ServerConfig config;
  private final InetSocketAddress address;
  private final Service service;
  private final EngineThreads threads;
  private final Lanes lanes;
  private final LakeEngine engine;
  private final Sessions sessions;
  private final ActiveQueries active = new ActiveQueries();
  private final Administration administration;
  private final Authenticator authenticator;
  private final Redaction redaction;
  private final InstantSource clock = InstantSource.system();
  private final QueryHistory history = new QueryHistory(clock);
  private final Numbers numbers =
      Numbers.none(
          new EngineErrors(
              Arrays.stream(EngineError.values()).map(LakeServer::errorLabel).toList()));
  private final AtomicReference<@Nullable Tracing> tracing = new AtomicReference<>();
  private final CountDownLatch hurry = new CountDownLatch(1);
  private final ResultCache cache;
  private final long engineBytes;

  /**
   * What a server serves.
   *
   * @param users who may come in
   * @param renewal of the lake's credentials
   */
  public record Service(Lake lake, Users users, Renewal renewal) {
    /** A lake whose credentials need no renewal. */
    public static Service of(Lake lake, Users users) {
      return new Service(lake, users, Renewal.NONE);
    }
  }

  /**
   * @param address where to listen
   * @param onHopeless told when the lake can only be served again by a new process
   */
  public LakeServer(
      ServerConfig config,
      Service service,
      InetSocketAddress address,
      Extensions extensions,
      Runnable onHopeless) {
    this.config = config;
    this.service = service;
    this.address = address;
    int processors = Runtime.getRuntime().availableProcessors();
    Path spill =
        config
            .find(Settings.TEMP_DIRECTORY)
            .orElseGet(
                () ->
                    Path.of(
                        System.getProperty("java.io.tmpdir"),
                        "ducklake-flight-" + ProcessHandle.current().pid()));
    engineBytes =
        config
            .find(Settings.MEMORY_LIMIT)
            .map(DataSize::bytes)
            .orElseGet(MachineMemory::defaultEngineBytes);
    cache =
        new ResultCache(
            keptResults, config.get(Settings.RESULT_CACHE_SIZE).bytes(), numbers.usage().cache());
    redaction = redaction(service.lake, spill, extensions);
    threads = new EngineThreads(concurrency(config));
    lanes =
        Lanes.of(threads, service.lake.maxConnections(), config.get(Settings.QUEUE_TIMEOUT), clock);
    sessions =
        new Sessions(
            LakeCatalog.NAMESPACE, connector(), clock, config.get(Settings.IDLE_SESSION_TIMEOUT));
    administration = new Administration(sessions, active, history, lanes.statements(), clock);
    engine =
        new LakeEngine(
            new EngineOptions(
                config.find(Settings.THREADS).orElse(processors),
                engineBytes,
                spill,
                config.find(Settings.MAX_TEMP_DIRECTORY_SIZE).map(DataSize::bytes).orElse(0L),
                extensions.directory()),
            new LakeCatalog(service.lake, extensions, administration.tables().setUp()),
            allocator,
            this::engineIs,
            onHopeless);
    authenticator = Authenticator.of(config, service.users, clock);
    readiness.notOk(CheckId.ENGINE, "the engine is not open yet");
    readiness.ok(CheckId.DRAIN);
  }

  /** How many statements are planned or executed at once. */
  static int concurrency(ServerConfig config) {
    return config
        .find(Settings.MAX_CONCURRENT_QUERIES)
        .orElseGet(() -> Math.max(16, 8 * Runtime.getRuntime().availableProcessors()));
  }

  /**
   * Answers {@code /livez}, {@code /readyz}, {@code /metrics} and {@code /console} from here on, on
   * the address that clients come to.
   *
   * @return the port that was bound
   */
  public int listenHttp(int port) throws IOException {
    var levels = new ServerLevels(this);
    HttpConsole reach = config.get(Settings.HTTP_CONSOLE);
    var started =
        new OpsServer(
            new InetSocketAddress(address.getAddress(), port),
            readiness,
            new Metrics(readiness, numbers, levels),
            reach == HttpConsole.OFF
                ? null
                : new Console(new ConsoleSource(this, levels), reach == HttpConsole.ANY));
    ops.set(started);
    return started.port();
  }

  /** Opens the engine and attaches the lake, once the files of TLS were found in order. */
  public void openLake() throws StartException, EngineException {
    openLake(TlsWatch.Timing.USUAL);
  }

  /** Does so, and looks at the files of TLS at other times than usual. */
  public void openLake(TlsWatch.Timing timing) throws StartException, EngineException {
    Optional<TlsFiles> files = TlsFiles.of(config);
    if (files.isPresent()) {
      tls.set(new TlsWatch(files.get(), timing, clock, readiness));
    }
    Traces.of(config).ifPresent(tracing::set);
    engine.open();
    engineIs(true);
  }

  /** Proves that the lake can be queried. */
  public void checkLake() throws StartException, EngineException {
    engine.check();
  }

  /**
   * Takes clients from here on. What the server needs is tried before, and ever after: that says
   * whether it is ready, not whether it starts.
   *
   * @return the port that was bound
   */
  public int listen() throws IOException, InterruptedException {
    probes.start();
    var types = new ArrowTypes();
    var queries =
        new QueryService(
            new Gate(service.lake.dataPath() + LakeCatalog.EXPORTS),
            service.lake.newestSnapshot(),
            lanes.holdings(),
            cache,
            types,
            config.get(Settings.QUERY_TIMEOUT),
            config.get(Settings.MAX_RESULT_BYTES).bytes(),
            clock,
            this::failed,
            service.renewal,
            QueryListener.all(listeners()),
            active,
            administration);
    explanations.set(new Explanations(queries, LakeCatalog.NAMESPACE, connector()));
    TlsWatch watch = tls.get();
    Duration idle = config.get(Settings.IDLE_SESSION_TIMEOUT);
    var started =
        new FlightEndpoint(
            address,
            new Parts(
                threads,
                lanes,
                queries,
                new IngestService(
                    queries,
                    new IngestKeys(keyLock(), engine::connect, LakeCatalog.NAMESPACE),
                    allocator),
                types,
                sessions,
                authenticator,
                config.get(Settings.MAX_CONNECTIONS),
                watch == null ? null : watch.material(),
                new Handles(
                    config
                        .find(Settings.FLIGHT_TOKEN_SECRET)
                        .map(secret -> secret.reveal().getBytes(StandardCharsets.UTF_8))),
                redaction,
                allocator,
                clock,
                numbers.usage(),
                numbers.refusals(),
                tracing.get()),
            new Patience(idle, idle));
    endpoint.set(started);
    if (watch != null) {
      watch.start(started::use);
    }
    readiness.listen(started::serving);
    return started.port();
  }

  private Session.Connector connector() {
    return new Session.Connector() {
      @Override
      public EngineConnection connect(Namespace namespace) throws EngineException {
        return engine.connect(namespace);
      }

      @Override
      public Optional<EngineConnection> connectWithin(Namespace namespace, long snapshot)
          throws EngineException {
        return engine.connectWithin(namespace, snapshot);
      }
    };
  }

  private List<QueryListener> listeners() {
    var listeners = new ArrayList<QueryListener>();
    listeners.add(numbers.queries());
    listeners.add(history);
    listeners.add(
        new QueryLog(config.get(Settings.LOG_SQL) ? Optional.of(redaction) : Optional.empty()));
    Tracing spans = tracing.get();
    if (spans != null) {
      listeners.add(spans);
    }
    return listeners;
  }

  private void failed(EngineException failure) {
    numbers.errors().add(errorLabel(failure.error()));
    engine.failed(failure);
  }

  private static String errorLabel(EngineError error) {
    return error.name().toLowerCase(Locale.ROOT);
  }

  private KeyLock keyLock() {
    return service.lake instanceof RemoteLake ? new CatalogKeyLock(engine) : KeyLock.ofProcess();
  }

  /**
   * Says that the server is not ready, serves on until load balancers have seen it, and lets
   * running statements end; see {@link FlightEndpoint#drain}.
   *
   * @return false when some were interrupted
   */
  public boolean drain() throws InterruptedException {
    readiness.notOk(CheckId.DRAIN, "the server is stopping");
    OpsServer http = ops.get();
    if (http != null) {
      http.drain();
    }
    FlightEndpoint running = endpoint.get();
    if (running == null) {
      return true;
    }
    Duration delay = drainDelay();
    LOG.info(
        "stopping: new statements are taken for {} s more, those that run then may take {} s",
        delay.toSeconds(),
        config.get(Settings.DRAIN_TIMEOUT).toSeconds());
    var _ = hurry.await(delay.toMillis(), TimeUnit.MILLISECONDS);
    return running.drain(config.get(Settings.DRAIN_TIMEOUT), hurry);
  }

  /** Nobody balances the load of a local lake: one server has it. */
  private Duration drainDelay() {
    return config
        .find(Settings.DRAIN_DELAY)
        .orElse(service.lake instanceof RemoteLake ? DRAIN_DELAY : Duration.ZERO);
  }

  /** Ends the waiting of {@link #drain}, now or when it begins. */
  public void hurry() {
    hurry.countDown();
  }

  /** Connections of the engine that statements hold now. */
  public int openConnections() {
    return engine.openConnections();
  }

  /** Engines that were replaced and are in use yet. */
  public int retiredEngines() {
    return engine.retiredInstances();
  }

  /** Results on their way to clients now. */
  public int openStreams() {
    FlightEndpoint running = endpoint.get();
    return running == null ? 0 : running.openStreams();
  }

  /** The full names of all methods of gRPC that are answered now. */
  public List<String> methods() {
    FlightEndpoint running = endpoint.get();
    return running == null ? List.of() : running.methods();
  }

  /** Statements that wait to be run now. */
  public int waitingStatements() {
    return lanes.statements().waiting();
  }

  /** Statements that were answered from the cache of results. */
  public long cacheHits() {
    return numbers.usage().cache().hits();
  }

  /** Memory of Arrow batches on their way that is held now, outside of the heap. */
  public long bufferBytes() {
    return allocator.getAllocatedMemory() - keptBytes();
  }

  /** The same of results that are kept, or were and are read yet. */
  public long keptBytes() {
    return keptResults.getAllocatedMemory();
  }

  public boolean isReady() {
    return readiness.isReady();
  }

  /** The engine, for what changes its set-up while it runs. */
  LakeEngine engine() {
    return engine;
  }

  /** All that is counted. */
  Numbers numbers() {
    return numbers;
  }

  Lanes lanes() {
    return lanes;
  }

  Sessions sessions() {
    return sessions;
  }

  Administration administration() {
    return administration;
  }

  ActiveQueries activeQueries() {
    return active;
  }

  /** A text of the engine's, without the machine's paths. */
  String shown(String text) {
    return redaction.apply(text);
  }

  Authenticator authenticator() {
    return authenticator;
  }

  Service service() {
    return service;
  }

  /** Tells how statements would be executed, once the engine takes statements. */
  Optional<Explanations> explanations() {
    return Optional.ofNullable(explanations.get());
  }

  /** The port of clients, once it is open. */
  Optional<FlightEndpoint> endpoint() {
    return Optional.ofNullable(endpoint.get());
  }

  /** What the engine may hold in memory. */
  long engineBytes() {
    return engineBytes;
  }

  /** Where the parts say what does not work. */
  Readiness readiness() {
    return readiness;
  }

  /** What is tried while the server runs; to be filled before it listens. */
  Probes probes() {
    return probes;
  }

  private void engineIs(boolean ready) {
    if (ready) {
      readiness.ok(CheckId.ENGINE);
    } else {
      readiness.notOk(CheckId.ENGINE, "the engine is being opened anew");
    }
  }

  private static Redaction redaction(Lake lake, Path spill, Extensions extensions) {
    var names = new LinkedHashMap<Path, String>();
    if (lake instanceof LocalLake local) {
      names.put(local.directory(), "<lake>");
    }
    names.put(spill, "<temporary>");
    names.put(extensions.directory(), "<extensions>");
    return Redaction.ofPaths(names);
  }

  @Override
  public void close() {
    // The allocator stays: batches that the transport still holds are released when it lets go.
    try (var _ = tracing.getAndSet(null);
        var _ = ops.getAndSet(null);
        cache;
        threads;
        engine;
        probes;
        sessions;
        authenticator;
        var _ = endpoint.getAndSet(null);
        var _ = tls.getAndSet(null)) {
      // Closed from the last to the first.
    }
  }
}
