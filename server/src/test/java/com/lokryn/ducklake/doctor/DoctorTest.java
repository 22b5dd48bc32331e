package com.lokryn.ducklake.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Passed;
import com.lokryn.ducklake.config.Finding.Untried;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.testing.TestingLakeServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How checks are run, whatever they check. */
class DoctorTest {
  private static final Check.Attempt PASSES = _ -> new Passed("so it is");

  private static List<Finding> run(Check... checks) {
    try (var clients = AwsClients.ofProcess();
        var subject = Subject.of(clients, TestingLakeServer.extensions(), ServerConfig.empty())) {
      return new Doctor(List.of(checks), subject, Duration.ofMillis(500))
          .run(_ -> {}).stream().map(CheckResult::finding).toList();
    }
  }

  @Test
  void whatDependsOnNothingRunsAtTheSameTime() {
    var both = new CountDownLatch(2);
    Check.Attempt meets =
        _ -> {
          both.countDown();
          try {
            return both.await(5, TimeUnit.SECONDS) ? new Passed("met") : new Untried("alone");
          } catch (InterruptedException e) {
            return new Untried("interrupted");
          }
        };
    assertThat(run(Check.of(CheckId.SPILL, "a", meets), Check.of(CheckId.FILES, "b", meets)))
        .containsOnly(new Passed("met"));
  }

  @Test
  void whatNeedsAnotherIsNotTriedWithoutItAndWhatComesAfterIs() {
    Check.Attempt breaks =
        _ -> {
          throw new IllegalStateException("planted by a test");
        };
    List<Finding> findings =
        run(
            Check.of(CheckId.USERS, "needs it", PASSES).needing(CheckId.FILES),
            Check.of(CheckId.SPILL, "after it", PASSES).after(CheckId.FILES),
            Check.of(CheckId.MEMORY, "needs a setting", PASSES).with(Settings.POSTGRES_DB),
            Check.of(CheckId.FILES, "breaks", breaks),
            Check.of(CheckId.TLS, "needs what is not run", PASSES).needing(CheckId.CLOCK));
    assertThat(findings.get(0)).isEqualTo(new Untried("it needs files"));
    assertThat(findings.get(1)).isEqualTo(new Passed("so it is"));
    assertThat(findings.get(2)).isEqualTo(new Untried("it needs a right value of postgres_db"));
    assertThat(findings.get(3)).isInstanceOf(Failed.class);
    assertThat(findings.get(3).detail()).doesNotContain("planted");
    assertThat(findings.get(4)).isEqualTo(new Passed("so it is"));
  }

  @Test
  void whatDoesNotEndHasFailedAndHoldsNothingUp() {
    var never = new CountDownLatch(1);
    Check.Attempt hangs =
        _ -> {
          try {
            never.await();
          } catch (InterruptedException e) {
            // The test is over.
          }
          return new Passed("never");
        };
    var order = new ArrayList<CheckId>();
    try (var clients = AwsClients.ofProcess();
        var subject = Subject.of(clients, TestingLakeServer.extensions(), ServerConfig.empty())) {
      List<CheckResult> results =
          new Doctor(
                  List.of(
                      Check.of(CheckId.USERS, "hangs", hangs),
                      Check.of(CheckId.SPILL, "is well", PASSES).after(CheckId.USERS)),
                  subject,
                  Duration.ofMillis(300))
              .run(result -> order.add(result.check().id()));
      assertThat(results.get(0).finding().detail()).isEqualTo("no answer within 300 ms");
      assertThat(results.get(1).finding()).isEqualTo(new Passed("so it is"));
    }
    assertThat(order).containsExactly(CheckId.USERS, CheckId.SPILL);
    never.countDown();
  }
}
