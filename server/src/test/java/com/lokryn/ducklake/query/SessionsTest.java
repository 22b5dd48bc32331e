package com.lokryn.ducklake.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SqlText;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SessionsTest {
  private static final Identity ANA = new Identity("ana", Role.ADMIN);
  private static final Namespace HOME = new Namespace("lake", "main");

  private static Sessions withoutEngine() {
    return new Sessions(
        HOME,
        _ -> {
          throw new EngineException(EngineError.CONNECTION, "there is no engine in this test");
        },
        () -> Instant.EPOCH,
        Duration.ofMinutes(1));
  }

  @Test
  void theOldestOfTooManyIdleOnesGoes() {
    Sessions sessions = withoutEngine();
    sessions.begin("one");
    Session first = sessions.named("s0", "one", ANA);
    sessions.end("one", _ -> {});
    sessions.begin("two");
    for (int i = 1; i < Sessions.MAX_OF_USER; i++) {
      sessions.named("s" + i, "two", ANA);
    }
    assertThat(first.isClosed()).isFalse();
    sessions.named("more", "two", ANA);
    assertThat(first.isClosed()).isTrue();
    // All others are connected.
    assertThatThrownBy(() -> sessions.named("too many", "two", ANA))
        .isInstanceOfSatisfying(
            QueryException.class, e -> assertThat(e.problem()).isEqualTo(Problem.LIMIT))
        .hasMessageContaining("sessions of a user");
    assertThat(sessions.named("other", "two", new Identity("bo", Role.ADMIN)).isClosed()).isFalse();
  }

  /** A catalog that does not answer must hold up nobody but those who ask it. */
  @Test
  void aSessionThatConnectsHoldsUpNobody() throws Exception {
    var connecting = new CountDownLatch(1);
    var answer = new CountDownLatch(1);
    var sessions =
        new Sessions(
            HOME,
            _ -> {
              connecting.countDown();
              try {
                answer.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              throw new EngineException(EngineError.CONNECTION, "there is no engine in this test");
            },
            () -> Instant.EPOCH,
            Duration.ofMinutes(1));
    sessions.begin("one");
    sessions.begin("other");
    Session slow = sessions.of("one", ANA);
    Thread statement =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    slow.run(SqlText.of("BEGIN"), new Cancellation(), _ -> 0);
                  } catch (EngineException e) {
                    assertThat(e.text()).contains("no engine");
                  }
                });
    connecting.await();
    try {
      var others =
          CompletableFuture.supplyAsync(
              () ->
                  !slow.hasAnything()
                      && !slow.isClosed()
                      && slow.announce(false)
                      && sessions.takeIdle().isEmpty()
                      && sessions.of("one", ANA) == slow
                      && sessions.of("other", ANA) != slow);
      assertThat(others.get(10, TimeUnit.SECONDS)).isTrue();
    } finally {
      answer.countDown();
      statement.join();
    }
  }
}
