package com.lokryn.ducklake.doctor;

import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Untried;
import com.lokryn.ducklake.config.Setting;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.observe.CheckId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs checks: those that depend on nothing at the same time, the others when what they depend on
 * has ended. One that fails, or does not end in time, keeps no other from being tried that does not
 * need it.
 */
public final class Doctor {
  private static final Logger LOG = LoggerFactory.getLogger(Doctor.class);

  private final List<Check> checks;
  private final Subject subject;
  private final Duration timeout;
  private final Map<CheckId, CompletableFuture<Finding>> findings = new EnumMap<>(CheckId.class);

  public Doctor(List<Check> checks, Subject subject) {
    this(checks, subject, Check.TIMEOUT);
  }

  /**
   * @param timeout how long one check may take
   */
  Doctor(List<Check> checks, Subject subject, Duration timeout) {
    this.checks = List.copyOf(checks);
    this.subject = subject;
    this.timeout = timeout;
  }

  /**
   * Runs all of them, once.
   *
   * @param each told of each result in the order of the table, as soon as those before are known
   */
  public List<CheckResult> run(Consumer<CheckResult> each) {
    checks.forEach(check -> findings.put(check.id(), new CompletableFuture<>()));
    for (Check check : checks) {
      // What they call may enter the engine, which would hold on to a virtual thread's carrier.
      start("check-" + check.id().id(), () -> complete(check));
    }
    var results = new ArrayList<CheckResult>();
    for (Check check : checks) {
      var result = new CheckResult(check, finding(check.id()).join());
      results.add(result);
      each.accept(result);
    }
    return results;
  }

  private static void start(String name, Runnable work) {
    Thread.ofPlatform().daemon().name(name).start(work);
  }

  private void complete(Check check) {
    CompletableFuture<Finding> finding = finding(check.id());
    try {
      finding.complete(examine(check));
    } catch (RuntimeException | Error e) {
      // Others wait for it.
      finding.complete(broken(check, e));
      throw e;
    }
  }

  private CompletableFuture<Finding> finding(CheckId id) {
    // One that is not among those which are run holds nothing up.
    return findings.getOrDefault(
        id, CompletableFuture.completedFuture(new Finding.Unneeded("it is not run")));
  }

  private Finding examine(Check check) {
    check.earlier().forEach(id -> finding(id).join());
    Optional<CheckId> failed =
        check.needs().stream().filter(id -> !finding(id).join().isOk()).sorted().findFirst();
    if (failed.isPresent()) {
      return new Untried("it needs " + failed.get().id());
    }
    Optional<Setting<?>> missing =
        check.settings().stream()
            .filter(setting -> subject.config().find(setting).isEmpty())
            .findFirst();
    if (missing.isPresent()) {
      return new Untried("it needs a right value of " + missing.get().key());
    }
    return attempt(check);
  }

  private Finding attempt(Check check) {
    var task = new FutureTask<>(() -> check.attempt().on(subject));
    start("attempt-" + check.id().id(), task);
    try {
      return task.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return new Failed(
          new StartProblem(
              Kind.DEPENDENCY,
              "no answer within %d ms".formatted(timeout.toMillis()),
              "see whether the service that it asks can be reached from here, and works"));
    } catch (ExecutionException e) {
      return broken(check, Objects.requireNonNullElse(e.getCause(), e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Untried("it was interrupted");
    }
  }

  private static Finding broken(Check check, Throwable e) {
    LOG.atDebug().setCause(e).log("the check {} failed", check.id().id());
    return new Failed(
        new StartProblem(
            Kind.DEPENDENCY,
            "it cannot be tried: " + e.getClass().getSimpleName(),
            "run with LOG_LEVEL=debug for the details"));
  }
}
