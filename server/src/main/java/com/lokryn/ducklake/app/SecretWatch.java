package com.lokryn.ducklake.app;

import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ConfigurationReader;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Setting;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.Readiness;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the secret with the configuration every now and then, and when a login is refused, and
 * has a login to Postgres that has changed put to use. What else has changed waits for the next
 * start, and the log says so. A secret that cannot be read, or is not right any more, changes
 * nothing. Its work is done in a thread of its own; safe to use from any thread.
 */
final class SecretWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SecretWatch.class);

  /** 43,200 requests a month and server; AWS takes 0.05 USD for 10,000. */
  static final Duration USUAL_PERIOD = Duration.ofSeconds(60);

  /** Statements that fail must not have AWS asked as often as they do. */
  private static final Duration LEAST_PERIOD = Duration.ofSeconds(5);

  /** What can be changed while the server runs. */
  private static final List<Setting<?>> LOGIN =
      List.of(
          Settings.POSTGRES_USER,
          Settings.POSTGRES_PASSWORD,
          Settings.POSTGRES_HOST,
          Settings.POSTGRES_PORT);

  /** Puts a login to use. */
  @FunctionalInterface
  interface Listener {
    /**
     * Takes the configuration whose login has changed.
     *
     * @throws StartException when it does not work: the one before stays in use
     */
    void changed(ServerConfig config) throws Exception;
  }

  private final ConfigurationReader reader;
  private final Readiness readiness;
  private final Listener listener;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("secret-watch").factory());

  // Used by the timer's thread only, after the start.
  private ServerConfig inUse;
  private ServerConfig seen;
  private final Map<CheckId, String> told = new EnumMap<>(CheckId.class);

  /** A look that was asked for and has not ended. Guarded by this. */
  private @Nullable CompletableFuture<Void> asked;

  /** When the last of those ended. Guarded by this. */
  private long lastAsked = System.nanoTime() - LEAST_PERIOD.toNanos();

  /**
   * @param config what was read at the start
   */
  SecretWatch(
      ConfigurationReader reader, ServerConfig config, Readiness readiness, Listener listener) {
    this.reader = reader;
    this.inUse = config;
    this.seen = config;
    this.readiness = readiness;
    this.listener = listener;
  }

  /** Begins to look, if there is anything to look at. */
  void start(Duration period) {
    if (reader.isFromSecret()) {
      readiness.ok(CheckId.SECRET_READ);
      var _ =
          timer.scheduleWithFixedDelay(
              this::look, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /**
   * Looks as soon as may be, as when a login is refused: not more often than every few seconds. The
   * result is done when that has ended; it never fails.
   */
  synchronized CompletableFuture<Void> refresh() {
    CompletableFuture<Void> waiting = asked;
    if (waiting != null) {
      // All statements may fail at once.
      return waiting;
    }
    if (!reader.isFromSecret()) {
      return CompletableFuture.completedFuture(null);
    }
    try {
      // A rotation changes Postgres first and the secret a few seconds later: a look that comes
      // between the two is followed by another one, which those wait for who are refused meanwhile.
      long early = LEAST_PERIOD.toNanos() - (System.nanoTime() - lastAsked);
      CompletableFuture<Void> next =
          CompletableFuture.runAsync(
              this::lookAsAsked,
              early <= 0
                  ? timer
                  : CompletableFuture.delayedExecutor(early, TimeUnit.NANOSECONDS, timer));
      asked = next;
      return next;
    } catch (RejectedExecutionException e) {
      return CompletableFuture.completedFuture(null);
    }
  }

  private void lookAsAsked() {
    look();
    synchronized (this) {
      asked = null;
      lastAsked = System.nanoTime();
    }
  }

  /** One look. An exception would end the timer, so none leaves it. */
  private void look() {
    ServerConfig now;
    try {
      now = reader.readAgain();
    } catch (StartException e) {
      warn(CheckId.SECRET_READ, "the secret cannot be read any more", e.problem().sentence());
      return;
    } catch (ConfigException e) {
      warn(
          CheckId.SECRET_READ,
          "the secret is not right any more: what it had before stays in use",
          String.join("; ", e.problems()));
      return;
    } catch (RuntimeException e) {
      // Not its text: it may hold a part of the secret.
      warn(CheckId.SECRET_READ, "the secret cannot be read any more", e.getClass().getName());
      return;
    }
    well(CheckId.SECRET_READ);
    tellOthers(now);
    if (!LOGIN.stream().allMatch(setting -> now.find(setting).equals(inUse.find(setting)))) {
      use(now);
    } else if (told.containsKey(CheckId.POSTGRES_LOGIN)) {
      // What did not work was taken back.
      well(CheckId.POSTGRES_LOGIN);
    }
  }

  private void use(ServerConfig now) {
    try {
      listener.changed(now);
      inUse = now;
      LOG.info("the login to Postgres has changed in the secret, and is in use");
      well(CheckId.POSTGRES_LOGIN);
    } catch (StartException e) {
      warn(
          CheckId.POSTGRES_LOGIN,
          "the login that the secret has now does not work: the one before stays in use",
          e.problem().sentence());
    } catch (Exception e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      // Not its text: it may be that of a statement with the password in it.
      warn(
          CheckId.POSTGRES_LOGIN,
          "the login that the secret has now could not be put to use",
          e.getClass().getName());
    }
  }

  private void tellOthers(ServerConfig now) {
    String others =
        Settings.ALL.stream()
            .filter(setting -> !LOGIN.contains(setting))
            .filter(setting -> !now.find(setting).equals(seen.find(setting)))
            .map(Setting::key)
            .collect(Collectors.joining(", "));
    seen = now;
    if (!others.isEmpty()) {
      LOG.warn("{} changed in the secret: that takes effect with the next start", others);
    }
  }

  /** Shows it, and says it once in the log, not with every look. */
  private void warn(CheckId check, String what, String why) {
    readiness.warn(check, what);
    if (!what.equals(told.put(check, what)) && !timer.isShutdown()) {
      LOG.warn("{}: {}: {}", check.id(), what, why);
    }
  }

  private void well(CheckId check) {
    readiness.ok(check);
    told.remove(check);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
