package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.StartException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Hands out the process's credentials each time that they change: the SDK does not tell when they
 * end, so they are looked at every few seconds. Safe to use from any thread.
 */
public final class CredentialWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CredentialWatch.class);

  /** What lives 20 seconds is replaced in time. */
  public static final Duration USUAL_PERIOD = Duration.ofSeconds(3);

  /** How long closing waits for a listener that is at work. */
  private static final Duration LAST_WAIT = Duration.ofSeconds(5);

  /** Takes credentials, in the watch's own thread. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Puts credentials to use.
     *
     * @throws Exception when it cannot; it is given them again after the next period
     */
    void changed(AwsKeys keys) throws Exception;
  }

  private final AwsCredentialsProvider provider;
  private final Duration period;
  private final Listener listener;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("credential-watch").factory());

  /** Written by the timer's thread, and before it starts. */
  private volatile @Nullable AwsKeys current;

  private volatile @Nullable String problem;

  /** A look that was asked for and has not begun. Guarded by this. */
  private @Nullable CompletableFuture<Void> asked;

  /**
   * @param clients their credentials are watched
   * @param period how often to look
   * @param listener called with credentials that differ from those before, never at the same time
   */
  public CredentialWatch(AwsClients clients, Duration period, Listener listener) {
    this(clients.credentials(), period, listener);
  }

  CredentialWatch(AwsCredentialsProvider provider, Duration period, Listener listener) {
    this.provider = provider;
    this.period = period;
    this.listener = listener;
  }

  /**
   * Looks at the credentials, and begins to watch them from then on. The listener is called for the
   * first time when they change from those that are returned.
   *
   * @throws StartException when there are none
   */
  public AwsKeys start() throws StartException {
    AwsKeys first;
    try {
      first = AwsKeys.of(provider.resolveCredentials());
    } catch (SdkException e) {
      LOG.debug("no credentials", e);
      throw new StartException(AwsErrors.NO_CREDENTIALS);
    }
    current = first;
    var _ =
        timer.scheduleWithFixedDelay(
            this::look, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
    return first;
  }

  /**
   * Looks at once, as when S3 says that a token has expired. The result is done when the listener
   * has the new credentials, if there are any; it never fails.
   */
  public synchronized CompletableFuture<Void> refresh() {
    CompletableFuture<Void> waiting = asked;
    if (waiting != null) {
      // All statements may fail at once.
      return waiting;
    }
    try {
      CompletableFuture<Void> next = CompletableFuture.runAsync(this::lookAsAsked, timer);
      asked = next;
      return next;
    } catch (RejectedExecutionException e) {
      return CompletableFuture.completedFuture(null);
    }
  }

  /** The credentials that are in use: the first, or those that the listener took last. */
  public Optional<AwsKeys> current() {
    return Optional.ofNullable(current);
  }

  /** Why the credentials could not be looked at or handed on, the last time. */
  public Optional<String> problem() {
    return Optional.ofNullable(problem);
  }

  private void lookAsAsked() {
    synchronized (this) {
      asked = null;
    }
    look();
  }

  /** One look. An exception would end the timer, so none leaves it. */
  private void look() {
    try {
      AwsKeys found = AwsKeys.of(provider.resolveCredentials());
      if (!found.equals(current)) {
        listener.changed(found);
        current = found;
        LOG.debug("the AWS credentials changed");
      }
      if (problem != null) {
        LOG.info("the AWS credentials can be refreshed again");
      }
      problem = null;
    } catch (SdkException e) {
      failed("the AWS credentials cannot be refreshed", AwsErrors.text(e));
    } catch (Throwable e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      // Not its text: it may be that of a statement with the credentials in it.
      failed("new AWS credentials could not be put to use", e.getClass().getSimpleName());
    }
  }

  /** Says once that it fails, not every few seconds. */
  private void failed(String what, String why) {
    if (problem == null && !timer.isShutdown()) {
      LOG.warn("{}: {}", what, why);
    }
    problem = what + ": " + why;
  }

  /** Ends the watch; the listener is not called after this. */
  @Override
  public void close() {
    end(timer);
  }

  private static void end(ExecutorService executor) {
    var _ = executor.shutdownNow();
    try {
      if (!executor.awaitTermination(LAST_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("the listener of the AWS credentials does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
