package com.lokryn.ducklake.app;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import com.lokryn.ducklake.auth.Users;
import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.AwsKeys;
import com.lokryn.ducklake.aws.CredentialWatch;
import com.lokryn.ducklake.aws.ProbeObject;
import com.lokryn.ducklake.aws.S3Checks;
import com.lokryn.ducklake.config.ConfigurationReader;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.lake.ObjectStore;
import com.lokryn.ducklake.lake.PostgresCatalog;
import com.lokryn.ducklake.lake.RemoteLake;
import com.lokryn.ducklake.lake.StorageKeys;
import com.lokryn.ducklake.observe.CredentialAge;
import com.lokryn.ducklake.query.Renewal;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a server in production has besides a local one: the process's credentials, which the engine
 * always holds the newest of, the bucket, and the catalog in Postgres.
 */
public final class Production implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Production.class);

  /** Connections to Postgres that are left to statements which wait for nothing else. */
  private static final int SPARE_CONNECTIONS = 8;

  /** How long a statement waits for credentials that it needs. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final ServerConfig config;
  private final CredentialWatch watch;
  private final ConfigurationReader reader;
  private final Duration secretPeriod;
  private final AtomicReference<@Nullable SecretWatch> secretWatch = new AtomicReference<>();
  private final RemoteLake lake;
  private final Users loginOfPostgres;
  private final AtomicReference<@Nullable LakeEngine> engine = new AtomicReference<>();
  private final AtomicReference<@Nullable CredentialAge> credentials = new AtomicReference<>();
  private final AtomicLong renewals = new AtomicLong();
  private final AwsClients clients;
  private final AtomicReference<@Nullable LakeMaintenance> maintenance = new AtomicReference<>();

  /**
   * @param clients closed by the caller, after this
   * @param reader has read the configuration
   * @throws StartException when the process has no credentials
   */
  public Production(AwsClients clients, ServerConfig config, ConfigurationReader reader)
      throws StartException {
    this(clients, config, reader, SecretWatch.USUAL_PERIOD);
  }

  /**
   * @param secretPeriod how often to look at the secret
   */
  public Production(
      AwsClients clients, ServerConfig config, ConfigurationReader reader, Duration secretPeriod)
      throws StartException {
    this.config = config;
    this.clients = clients;
    this.reader = reader;
    this.loginOfPostgres = loginOfPostgres(config);
    this.secretPeriod = secretPeriod;
    this.watch = new CredentialWatch(clients, CredentialWatch.USUAL_PERIOD, this::use);
    this.lake =
        new RemoteLake(
            catalog(config),
            new ObjectStore(
                config.get(Settings.S3_BUCKET_URL),
                config.get(Settings.AWS_REGION),
                clients.s3Endpoint()),
            keys(watch.start()));
  }

  private PostgresCatalog catalog(ServerConfig config) {
    return PostgresCatalog.of(config, 2 * LakeServer.concurrency(config) + SPARE_CONNECTIONS);
  }

  public RemoteLake lake() {
    return lake;
  }

  /**
   * Proves that objects can be written, read and deleted where the data goes.
   *
   * @return where that was
   */
  public String checkBucket() throws StartException {
    Finding finding;
    try (var checks =
        new S3Checks(
            clients,
            config.get(Settings.S3_BUCKET_URL),
            config.get(Settings.AWS_REGION),
            InstantSource.system())) {
      finding = checks.writeTest();
    }
    if (finding instanceof Finding.Failed(var problem)) {
      throw new StartException(problem);
    }
    return finding.detail();
  }

  /** Whoever has the login to Postgres, as it is at each time. */
  public Users loginOfPostgres() {
    return loginOfPostgres;
  }

  private static Users loginOfPostgres(ServerConfig config) {
    return Users.one(config.get(Settings.POSTGRES_USER), config.get(Settings.POSTGRES_PASSWORD));
  }

  /**
   * Keeps the credentials of a server's engine new from here on, and has the server look whether
   * catalog, bucket and credentials work.
   */
  public void keep(LakeServer server) {
    engine.set(server.engine());
    server.numbers().credentials().renewed();
    credentials.set(server.numbers().credentials());
    var secrets = new SecretWatch(reader, config, server.readiness(), this::useLogin);
    secretWatch.set(secrets);
    secrets.start(secretPeriod);
    ProductionProbes.add(
        server,
        new ProbeObject(
            clients,
            config.get(Settings.S3_BUCKET_URL),
            config.get(Settings.AWS_REGION),
            new SecureRandom()),
        watch,
        () -> {
          var _ = secrets.refresh();
        });
  }

  /** Maintains the lake, in a process that does nothing else. Closed by the caller, before this. */
  public LakeMaintenance maintenance(Extensions extensions) {
    return kept(LakeMaintenance.alone(config, lake::forMaintenance, extensions));
  }

  /** Has a server maintain the lake, if the settings say so, until it is closed. */
  public void keepMaintained(LakeServer server, Extensions extensions) {
    Optional<Duration> interval = config.find(Settings.MAINTENANCE_INTERVAL);
    if (interval.isEmpty()) {
      return;
    }
    LakeMaintenance beside =
        kept(LakeMaintenance.besideServer(config, lake::forMaintenance, extensions));
    var schedule =
        new MaintenanceSchedule(
            interval.get(),
            () -> beside.run(false, config.get(Settings.SNAPSHOT_RETENTION), _ -> {}),
            server::isReady,
            _ -> {});
    server
        .probes()
        .atEnd(
            () -> {
              schedule.close();
              beside.close();
            });
    schedule.start();
  }

  private LakeMaintenance kept(LakeMaintenance made) {
    maintenance.set(made);
    return made;
  }

  /** For statements that S3 refused the keys of, or whose engine has an old view of the lake. */
  public Renewal renewal() {
    return new Renewal() {
      @Override
      public long count() {
        return renewals.get();
      }

      @Override
      public boolean renew(long before, EngineException failure) {
        if (RemoteLake.isOfKeys(failure)) {
          if (renewals.get() == before) {
            watch.refresh().completeOnTimeout(null, PATIENCE.toMillis(), MILLISECONDS).join();
          }
        } else if (RemoteLake.isOfLogin(failure)) {
          if (renewals.get() == before) {
            lookAtSecret();
          }
        } else if (RemoteLake.isStale(failure)) {
          changeSchema(before);
        } else {
          return false;
        }
        return renewals.get() != before;
      }
    };
  }

  private void lookAtSecret() {
    SecretWatch secrets = secretWatch.get();
    if (secrets != null) {
      secrets.refresh().completeOnTimeout(null, PATIENCE.toMillis(), MILLISECONDS).join();
    }
  }

  /** A new login: DuckDB connects to Postgres as it was told when the lake was attached. */
  private void useLogin(ServerConfig changed) throws Exception {
    PostgresCatalog before = lake.catalog();
    // Not what else has changed: another database is another lake.
    lake.use(before.by(changed));
    try {
      LakeEngine running = engine.get();
      if (running != null) {
        running.renew();
      }
    } catch (Exception e) {
      lake.use(before);
      throw e;
    }
    loginOfPostgres.become(loginOfPostgres(changed));
    renewals.incrementAndGet();
    giveKeys();
  }

  /** Those that came while the lake was attached went to the instance before. */
  private void giveKeys() {
    LakeEngine running = engine.get();
    if (running == null) {
      return;
    }
    try {
      running.setEverywhere(lake::putKeys);
    } catch (EngineException e) {
      // Not its text: it may have the keys in it. One that is opened anew has them from the lake.
      LOG.debug("the instance does not take keys: {}", e.error());
    }
  }

  /** Once for all statements that fail at the same time. */
  private synchronized void changeSchema(long before) {
    LakeEngine running = engine.get();
    if (running == null || renewals.get() != before) {
      return;
    }
    try {
      running.set(RemoteLake::changeSchema);
      renewals.incrementAndGet();
    } catch (EngineException e) {
      LOG.atWarn().addKeyValue("error", e.text()).log("the lake's schema cannot be read anew");
    }
  }

  private void use(AwsKeys found) throws Exception {
    lake.use(keys(found));
    LakeEngine running = engine.get();
    if (running != null) {
      running.setEverywhere(lake::putKeys);
    }
    CredentialAge age = credentials.get();
    if (age != null) {
      age.renewed();
    }
    LakeMaintenance maintained = maintenance.get();
    if (maintained != null) {
      maintained.use(keys(found));
    }
    renewals.incrementAndGet();
  }

  private static StorageKeys keys(AwsKeys keys) {
    return new StorageKeys(keys.accessKeyId(), keys.secretAccessKey(), keys.sessionToken());
  }

  @Override
  public void close() {
    SecretWatch secrets = secretWatch.get();
    if (secrets != null) {
      secrets.close();
    }
    watch.close();
    lake.close();
  }
}
