package com.lokryn.ducklake.app;

import com.lokryn.ducklake.config.DataSize;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineOptions;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.engine.MachineMemory;
import com.lokryn.ducklake.lake.Lake;
import com.lokryn.ducklake.lake.LakeCatalog;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.lake.RemoteLake;
import com.lokryn.ducklake.lake.StorageKeys;
import com.lokryn.ducklake.lake.maintenance.Limits;
import com.lokryn.ducklake.lake.maintenance.Maintenance;
import com.lokryn.ducklake.lake.maintenance.Report;
import com.lokryn.ducklake.lake.maintenance.StepResult;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Maintains a lake, each time in an engine that is opened for that and closed after it. One pass at
 * a time; {@link #close} ends it.
 */
public final class LakeMaintenance implements AutoCloseable {
  /** A pass beside a server has this part of the memory that the server's engine may have. */
  private static final long SHARE_BESIDE_SERVER = 4;

  /** Time for clients without a limit of their own, and for clocks that differ. */
  private static final Duration LEAST_QUIET = Duration.ofHours(1);

  /**
   * How much of the machine a pass takes.
   *
   * @param threads of the engine; 1 leaves all to the thread that runs it
   */
  private record Share(int threads, long memoryBytes) {}

  /** A pass that is at work. */
  private record Running(LakeEngine engine, Lake lake) {}

  private final ServerConfig config;
  private final Supplier<? extends Lake> lake;
  private final Extensions extensions;
  private final Share share;
  private final BufferAllocator allocator = new RootAllocator();
  private final AtomicReference<@Nullable Running> running = new AtomicReference<>();

  private LakeMaintenance(
      ServerConfig config, Supplier<? extends Lake> lake, Extensions extensions, Share share) {
    this.config = config;
    this.lake = lake;
    this.extensions = extensions;
    this.share = share;
  }

  /** For a process that does nothing else. */
  public static LakeMaintenance alone(
      ServerConfig config, Supplier<? extends Lake> lake, Extensions extensions) {
    return new LakeMaintenance(
        config,
        lake,
        extensions,
        new Share(
            config.find(Settings.THREADS).orElse(Runtime.getRuntime().availableProcessors()),
            memory(config)));
  }

  /** For a server: it works in the thread that calls it only, which may give way to others. */
  static LakeMaintenance besideServer(
      ServerConfig config, Supplier<? extends Lake> lake, Extensions extensions) {
    return new LakeMaintenance(
        config, lake, extensions, new Share(1, memory(config) / SHARE_BESIDE_SERVER));
  }

  private static long memory(ServerConfig config) {
    return config
        .find(Settings.MEMORY_LIMIT)
        .map(DataSize::bytes)
        .orElseGet(MachineMemory::defaultEngineBytes);
  }

  /**
   * Does a pass.
   *
   * @param dryRun only counts
   * @param retention how long snapshots are kept
   * @param onStep told of each step when it has ended
   * @throws StartException when the lake cannot be opened
   */
  public Report run(boolean dryRun, Duration retention, Consumer<StepResult> onStep)
      throws StartException, EngineException {
    Lake present = lake.get();
    long targetBytes = config.get(Settings.COMPACTION_TARGET_FILE_SIZE).bytes();
    var catalog =
        new LakeCatalog(
            present,
            extensions,
            List.of("SET GLOBAL ducklake_target_file_size='%dB'".formatted(targetBytes)));
    try (var engine = new LakeEngine(options(), catalog, allocator, _ -> {}, () -> {})) {
      engine.open();
      engine.check();
      running.set(new Running(engine, present));
      return new Maintenance(engine, present, Limits.of(retention, targetBytes, quiet(present)))
          .run(dryRun, onStep);
    } finally {
      running.set(null);
    }
  }

  /** A lake in a directory is open here only: nobody reads its files. */
  private Duration quiet(Lake present) {
    return present instanceof RemoteLake
        ? config.get(Settings.QUERY_TIMEOUT).plus(LEAST_QUIET)
        : Duration.ZERO;
  }

  private EngineOptions options() {
    Path spill =
        config
            .find(Settings.TEMP_DIRECTORY)
            .orElseGet(
                () ->
                    Path.of(
                        System.getProperty("java.io.tmpdir"),
                        "ducklake-flight-maintenance-" + ProcessHandle.current().pid()));
    return new EngineOptions(
        share.threads(),
        share.memoryBytes(),
        spill,
        config.find(Settings.MAX_TEMP_DIRECTORY_SIZE).map(DataSize::bytes).orElse(0L),
        extensions.directory());
  }

  /** New credentials for a pass that is at work. */
  void use(StorageKeys keys) throws EngineException {
    Running now = running.get();
    if (now != null && now.lake() instanceof RemoteLake remote) {
      remote.use(keys);
      now.engine().set(remote::putKeys);
    }
  }

  /** Ends a pass that is at work: what it has committed stays. */
  @Override
  public void close() {
    Running now = running.get();
    if (now != null) {
      now.engine().close();
    }
  }
}
