package com.lokryn.ducklake.aws;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;

/** A request that is over in time, whatever it hangs on. */
final class TimedCall {
  private TimedCall() {}

  /**
   * Runs a request in a thread of its own: looking up names and asking an instance for its role
   * have no limits in the SDK.
   *
   * @throws SdkException as the request, also where a connection was cut or nothing came in time
   */
  static <T> T run(String thread, Duration limit, Callable<T> request) throws InterruptedException {
    var task = new FutureTask<>(request);
    Thread running = Thread.ofVirtual().name(thread).start(task);
    try {
      return task.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw SdkClientException.create(
          "there was no answer within %d ms".formatted(limit.toMillis()), e);
    } catch (ExecutionException e) {
      throw switch (e.getCause()) {
        case SdkException failure -> failure;
        case UncheckedIOException cut -> AwsErrors.cut(cut);
        case null, default -> new IllegalStateException("a request to AWS failed", e.getCause());
      };
    } finally {
      running.interrupt();
    }
  }
}
