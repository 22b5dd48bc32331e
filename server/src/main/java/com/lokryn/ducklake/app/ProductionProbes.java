package com.lokryn.ducklake.app;

import com.lokryn.ducklake.app.Probe.Timing;
import com.lokryn.ducklake.aws.CredentialWatch;
import com.lokryn.ducklake.aws.ProbeObject;
import com.lokryn.ducklake.aws.ProbeObject.ObjectException;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.DependencyTimes;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a server in production looks at while it runs, through the engine as statements do. */
final class ProductionProbes {
  private static final Logger LOG = LoggerFactory.getLogger(ProductionProbes.class);

  /** Not the lake: S3 is looked at whether or not the catalog answers. */
  private static final Namespace BESIDE_THE_LAKE = new Namespace("memory", "main");

  /** How long a write proves that the next one will work. */
  private static final Duration WRITE_PERIOD = Duration.ofSeconds(60);

  /**
   * The watch looks every 3 seconds, and tells at once what it saw last: the second question comes
   * after another look.
   */
  private static final Timing CREDENTIAL_TIMING =
      new Timing(
          Duration.ofSeconds(1),
          CredentialWatch.USUAL_PERIOD.plusMillis(500),
          Duration.ofSeconds(5));

  private ProductionProbes() {}

  /**
   * @param object closed with the server
   * @param onLoginRefused told when Postgres does not take the login
   */
  static void add(
      LakeServer server, ProbeObject object, CredentialWatch watch, Runnable onLoginRefused) {
    Probes probes = server.probes();
    LakeEngine engine = server.engine();
    DependencyTimes times = server.numbers().dependencies();
    probes.add(
        List.of(CheckId.CATALOG),
        Timing.USUAL,
        () -> times.time(CheckId.CATALOG, () -> readCatalog(engine, onLoginRefused)));
    probes.add(
        List.of(CheckId.S3_PUT, CheckId.S3_GET),
        Timing.USUAL,
        new ObjectAttempt(engine, object, times));
    probes.add(List.of(CheckId.CREDENTIALS), CREDENTIAL_TIMING, () -> lookAt(watch));
    probes.atEnd(() -> delete(object));
  }

  private static void readCatalog(LakeEngine engine, Runnable onLoginRefused)
      throws ProbeException {
    try {
      engine.check();
    } catch (StartException e) {
      if (e.problem().kind() == StartProblem.Kind.PERMISSION) {
        onLoginRefused.run();
      }
      throw new ProbeException("the catalog in Postgres cannot be read", e.problem().sentence());
    } catch (EngineException e) {
      throw new ProbeException("the engine does not take statements", e.text());
    }
  }

  private static void lookAt(CredentialWatch watch) throws ProbeException {
    Optional<String> problem = watch.problem();
    if (problem.isPresent()) {
      throw new ProbeException("new AWS credentials cannot be had", problem.get());
    }
  }

  /** Writes the object now and then and after a failure, and reads it each time. */
  private static final class ObjectAttempt implements Probe.Attempt {
    private final LakeEngine engine;
    private final ProbeObject object;
    private final DependencyTimes times;

    /** The time of the last write; used by the probe's own thread only. */
    private long written;

    private boolean mustWrite = true;

    ObjectAttempt(LakeEngine engine, ProbeObject object, DependencyTimes times) {
      this.times = times;
      this.engine = engine;
      this.object = object;
    }

    @Override
    public void run() throws ProbeException {
      boolean write = mustWrite || System.nanoTime() - written >= WRITE_PERIOD.toNanos();
      mustWrite = true;
      if (write) {
        times.time(CheckId.S3_PUT, this::write);
        written = System.nanoTime();
      }
      times.time(CheckId.S3_GET, this::read);
      mustWrite = false;
    }

    private void write() throws ProbeException {
      try {
        object.write();
      } catch (ObjectException e) {
        throw new ProbeException(
            CheckId.S3_PUT,
            e.code().isEmpty()
                ? "S3 cannot be reached"
                : "objects cannot be written to S3: " + e.code(),
            String.valueOf(e.getMessage()));
      }
    }

    private void read() throws ProbeException {
      List<List<String>> rows;
      try (var connection = engine.connect(BESIDE_THE_LAKE)) {
        rows = connection.rows("SELECT content::VARCHAR FROM read_blob(?)", object.url());
      } catch (EngineException e) {
        throw new ProbeException(CheckId.S3_GET, "objects cannot be read from S3", e.text());
      }
      if (!rows.equals(List.of(List.of(object.content())))) {
        throw new ProbeException(
            CheckId.S3_GET,
            "an object was read from S3 with another content than was written",
            object.url());
      }
    }
  }

  private static void delete(ProbeObject object) {
    try (object) {
      object.delete();
    } catch (ObjectException e) {
      LOG.warn("{} could not be deleted: {}", object.url(), e.getMessage());
    }
  }
}
