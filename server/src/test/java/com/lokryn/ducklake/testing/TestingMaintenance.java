package com.lokryn.ducklake.testing;

import com.lokryn.ducklake.config.S3Location;
import com.lokryn.ducklake.config.SecretText;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineOptions;
import com.lokryn.ducklake.lake.Lake;
import com.lokryn.ducklake.lake.LakeCatalog;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.lake.LocalLake;
import com.lokryn.ducklake.lake.ObjectStore;
import com.lokryn.ducklake.lake.PostgresCatalog;
import com.lokryn.ducklake.lake.RemoteLake;
import com.lokryn.ducklake.lake.StorageKeys;
import com.lokryn.ducklake.lake.maintenance.Limits;
import com.lokryn.ducklake.lake.maintenance.Maintenance;
import com.lokryn.ducklake.lake.maintenance.Report;
import com.lokryn.ducklake.lake.maintenance.Step;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.RootAllocator;

/** Passes over a lake, with other limits than the usual ones, in an engine for them. */
public final class TestingMaintenance implements AutoCloseable {
  public static final long TARGET_BYTES = 4_000_000;
  public static final Duration WEEK = Duration.ofDays(7);

  private final Lake lake;
  private final LakeEngine engine;

  private TestingMaintenance(Lake lake) throws Exception {
    this.lake = lake;
    var catalog =
        new LakeCatalog(
            lake,
            TestingLakeServer.extensions(),
            List.of("SET GLOBAL ducklake_target_file_size='%dB'".formatted(TARGET_BYTES)));
    engine =
        new LakeEngine(
            new EngineOptions(
                1,
                512L << 20,
                Path.of(System.getProperty("java.io.tmpdir"), "maintenance-spill"),
                0,
                TestingLakeServer.extensions().directory()),
            catalog,
            new RootAllocator(),
            _ -> {},
            () -> {});
    engine.open();
  }

  /** Of a lake in a directory that no server has open. */
  public static TestingMaintenance of(Path directory) throws Exception {
    return new TestingMaintenance(new LocalLake(directory));
  }

  public static TestingMaintenance of(TestingProduction services, String name) throws Exception {
    var catalog =
        new PostgresCatalog(
            "127.0.0.1",
            services.postgres().port(),
            name,
            TestingPostgres.USER,
            new SecretText(TestingPostgres.PASSWORD),
            "disable",
            20);
    return new TestingMaintenance(
        new RemoteLake(
                catalog,
                new ObjectStore(
                    new S3Location(name, "data/"),
                    "us-east-1",
                    Optional.of(services.aws().endpoint())),
                new StorageKeys("testing", new SecretText("testing"), Optional.empty()))
            .forMaintenance());
  }

  /** Files wait for those who may read them, and for nothing else. */
  public static Limits limits(Duration retention) {
    return limits(retention, Duration.ZERO);
  }

  public static Limits limits(Duration retention, Duration quiet) {
    return new Limits(
        retention,
        TARGET_BYTES,
        quiet,
        Duration.ofHours(1),
        new Limits.Amounts(2, 100, 100),
        new Limits.Amounts(100, 10_000, 10_000));
  }

  /** The same, but what nobody knows counts as left behind at once. */
  public static Limits impatient(Limits limits) {
    return new Limits(
        limits.retention(),
        limits.targetBytes(),
        limits.quiet(),
        Duration.ZERO,
        limits.batch(),
        limits.pass());
  }

  public Report run(Limits limits) throws EngineException {
    return new Maintenance(engine, lake, limits).run(false, _ -> {});
  }

  public Report dryRun(Limits limits) throws EngineException {
    return new Maintenance(engine, lake, limits).run(true, _ -> {});
  }

  /** How much a step has done. */
  public static long done(Report report, Step step) {
    return report.steps().stream()
        .filter(result -> result.step() == step)
        .findFirst()
        .orElseThrow()
        .done();
  }

  /** The rows of a query of the lake. */
  public List<List<String>> rows(String sql) throws EngineException {
    try (EngineConnection connection = engine.connect(LakeCatalog.NAMESPACE)) {
      return connection.rows(sql);
    }
  }

  public String value(String sql) throws EngineException {
    return rows(sql).getFirst().getFirst();
  }

  public void run(String sql) throws EngineException {
    try (EngineConnection connection = engine.connect(LakeCatalog.NAMESPACE)) {
      connection.run(sql);
    }
  }

  public Lake lake() {
    return lake;
  }

  public LakeEngine engine() {
    return engine;
  }

  @Override
  public void close() {
    engine.close();
  }
}
