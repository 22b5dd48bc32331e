package com.lokryn.ducklake.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.query.Admission.Limits;
import com.lokryn.ducklake.query.Admission.Workers;
import com.lokryn.ducklake.testing.TestingClock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Who gets a slot, and who has to wait. Nothing here runs by itself. */
class AdmissionTest {
  private static final Namespace HOME = new Namespace("lake", "main");

  private final TestingClock clock = new TestingClock("2026-01-01T00:00:00Z");

  /** What has a slot and runs when {@link #finish} is called. */
  private final Deque<Runnable> running = new ArrayDeque<>();

  /** What has a slot of a user that has had much. */
  private final Deque<Runnable> patient = new ArrayDeque<>();

  /** The names of what has run, in the order in which it got its slot. */
  private final List<String> began = new ArrayList<>();

  private final List<String> refused = new ArrayList<>();

  private Holdings holdings = new Holdings(0);

  private Admission admission(int slots, int waiting) {
    return new Admission(
        new Limits(slots, Optional.of(Duration.ofSeconds(30)), waiting),
        new Workers(running::addLast, patient::addLast),
        Runnable::run,
        holdings,
        clock);
  }

  private static Session session(String user) {
    return new Session(
        user,
        new Identity(user, Role.ADMIN),
        HOME,
        HOME,
        _ -> {
          throw new EngineException(EngineError.CONNECTION, "there is no engine in this test");
        });
  }

  private Cancellation submit(Admission admission, Session session, String name) {
    var cancellation = new Cancellation();
    admission.run(
        session,
        cancellation,
        () -> {
          if (cancellation.isCancelled()) {
            refused.add(name + ": " + cancellation.reason().text());
          } else {
            began.add(name);
          }
        });
    return cancellation;
  }

  /** Ends the one that began first. */
  private void finish() {
    running.removeFirst().run();
  }

  private void finishAll() {
    while (!running.isEmpty()) {
      finish();
    }
  }

  @Test
  void oneThatIsAloneLeavesAQuarter() {
    Admission admission = admission(8, 100);
    Session[] sessions = {session("ana"), session("ana")};
    for (int i = 0; i < 20; i++) {
      submit(admission, sessions[i % 2], "a" + i);
    }
    assertThat(running).hasSize(6);
    assertThat(admission.waiting(sessions[0]) + admission.waiting(sessions[1])).isEqualTo(14);
    assertThat(admission.waiting(session("nobody"))).isZero();
    submit(admission, session("bo"), "b");
    assertThat(running).hasSize(7);
  }

  @Test
  void oneOfSeveralHasHalf() {
    Admission admission = admission(8, 100);
    submit(admission, session("bo"), "b");
    finish();
    Session[] sessions = {session("ana"), session("ana")};
    for (int i = 0; i < 20; i++) {
      submit(admission, sessions[i % 2], "a" + i);
    }
    assertThat(running).hasSize(4);
    // What ends makes room for one of the same user, not for more.
    finish();
    assertThat(running).hasSize(4);
    // Others get the rest at once.
    for (String user : List.of("bo", "cy", "di", "ed")) {
      submit(admission, session(user), user);
    }
    assertThat(running).hasSize(8);
    finishAll();
    assertThat(began).hasSize(25);
    assertThat(admission.waiting()).isZero();
  }

  @Test
  void aSessionLeavesRoomForTheOthersOfItsUser() {
    Admission admission = admission(8, 100);
    Session greedy = session("ana");
    for (int i = 0; i < 20; i++) {
      submit(admission, greedy, "g" + i);
    }
    assertThat(running).hasSize(5);
    submit(admission, session("ana"), "other");
    assertThat(running).hasSize(6);
  }

  @Test
  void usersTakeTurnsThenSessions() {
    Admission admission = admission(1, 100);
    Session first = session("ana");
    Session second = session("ana");
    Session bo = session("bo");
    submit(admission, session("zoe"), "z");
    for (int i = 0; i < 3; i++) {
      submit(admission, first, "a" + i);
    }
    for (int i = 0; i < 2; i++) {
      submit(admission, second, "A" + i);
    }
    for (int i = 0; i < 3; i++) {
      submit(admission, bo, "b" + i);
    }
    finishAll();
    assertThat(began).containsExactly("z", "a0", "b0", "A0", "b1", "a1", "b2", "A1", "a2");
  }

  @Test
  void aSessionWithATransactionGoesFirst() {
    Admission admission = admission(1, 100);
    Session plain = session("ana");
    Session holding = session("ana");
    submit(admission, plain, "running");
    submit(admission, plain, "waiting");
    holding.holdTransaction();
    submit(admission, holding, "holding");
    finishAll();
    assertThat(began).containsExactly("running", "holding", "waiting");
  }

  @Test
  void whatWaitsTooLongIsRefused() {
    Admission admission = admission(1, 100);
    Session ana = session("ana");
    submit(admission, ana, "running");
    submit(admission, ana, "waiting");
    clock.advance(Duration.ofSeconds(29));
    admission.sweep();
    assertThat(refused).isEmpty();
    clock.advance(Duration.ofSeconds(2));
    admission.sweep();
    assertThat(refused).singleElement().asString().contains("queue_timeout", "30 s", "waiting: ");
    finishAll();
    assertThat(began).containsExactly("running");
  }

  @Test
  void whatIsCancelledLeavesAtOnce() {
    Admission admission = admission(1, 100);
    Session ana = session("ana");
    submit(admission, ana, "running");
    Cancellation waiting = submit(admission, ana, "waiting");
    submit(admission, ana, "next");
    waiting.cancel(Problem.CANCELLED, "the client cancelled");
    assertThat(refused).containsExactly("waiting: the client cancelled");
    assertThat(admission.waiting()).isEqualTo(1);
    finishAll();
    assertThat(began).containsExactly("running", "next");
    assertThat(refused).hasSize(1);
  }

  @Test
  void whatIsCancelledBeforeItComesNeverWaits() {
    Admission admission = admission(1, 100);
    submit(admission, session("ana"), "running");
    var cancelled = new Cancellation();
    cancelled.cancel(Problem.CANCELLED, "too late");
    var ran = new ArrayList<String>();
    admission.run(session("ana"), cancelled, () -> ran.add("said so"));
    assertThat(ran).hasSize(1);
    assertThat(admission.waiting()).isZero();
  }

  @Test
  void theQueueHasAnEnd() {
    Admission admission = admission(1, 10);
    submit(admission, session("bo"), "bo");
    Session ana = session("ana");
    for (int i = 0; i < 6; i++) {
      submit(admission, ana, "a" + i);
    }
    assertThat(refused).singleElement().asString().contains("max_concurrent_queries", "5 of yours");
    // The rest is for others.
    submit(admission, session("cy"), "cy");
    assertThat(refused).hasSize(1);
    finishAll();
    assertThat(began).contains("a4", "cy").doesNotContain("a5");
  }

  @Test
  void aClaimIsUsedAgain() {
    Admission admission = admission(1, 100);
    Session ana = session("ana");
    Admission.Claim claim = admission.claim(ana, new Cancellation());
    claim.run(
        () -> {
          began.add("first");
          claim.run(() -> began.add("third"));
        });
    submit(admission, ana, "second");
    finishAll();
    assertThat(began).containsExactly("first", "second", "third");
  }

  @Test
  void aTurnIsOverAfterAWhileIfOthersWait() {
    Admission admission = admission(1, 100);
    Admission.Claim claim = admission.claim(session("ana"), new Cancellation());
    assertThat(claim.isOver()).isFalse();
    claim.run(
        () -> {
          clock.advance(Duration.ofMillis(60));
          assertThat(claim.isOver()).isFalse();
          submit(admission, session("bo"), "bo");
          assertThat(claim.isOver()).isTrue();
        });
    finishAll();
    assertThat(began).containsExactly("bo");
  }

  /** Of a user, one piece of work that asks for another slot when its turn is over. */
  private void work(Admission admission, Session session, Duration each, int times) {
    Admission.Claim claim = admission.claim(session, new Cancellation());
    var left = new AtomicInteger(times);
    claim.run(
        new Runnable() {
          @Override
          public void run() {
            while (left.getAndDecrement() > 0) {
              clock.advance(each);
              if (claim.isOver()) {
                claim.run(this);
                return;
              }
            }
          }
        });
  }

  @Test
  void whoHasHadMuchGoesToTheThreadsThatLetOthersGoFirst() {
    Admission admission = admission(8, 100);
    Session ana = session("ana");
    work(admission, ana, Duration.ofMillis(100), 10);
    finishAll();
    assertThat(patient).hasSize(1);
    patient.removeFirst().run();
    assertThat(patient).isEmpty();
    // Whatever else that user asks for.
    submit(admission, session("ana"), "more");
    submit(admission, session("bo"), "other");
    assertThat(patient).hasSize(1);
    assertThat(running).hasSize(1);
    finishAll();
    patient.removeFirst().run();
    assertThat(began).containsExactly("other", "more");
    // It is soon forgotten.
    clock.advance(Duration.ofSeconds(5));
    submit(admission, ana, "later");
    assertThat(patient).isEmpty();
    finishAll();
  }

  @Test
  void muchThatIsShortIsMuch() {
    Admission admission = admission(8, 100);
    for (int i = 0; i < 30; i++) {
      work(admission, session("ana"), Duration.ofMillis(10), 1);
      finishAll();
    }
    assertThat(patient).isNotEmpty();
    patient.clear();
    // But not where there is time between.
    for (int i = 0; i < 30; i++) {
      work(admission, session("bo"), Duration.ofMillis(10), 1);
      finishAll();
      clock.advance(Duration.ofMillis(200));
    }
    assertThat(patient).isEmpty();
  }

  @Test
  void whoHoldsManyConnectionsWaitsUntilOneIsGivenBack() {
    holdings = new Holdings(8);
    Admission admission = admission(8, 100);
    submit(admission, session("bo"), "b");
    finish();
    var held = new ArrayList<Holdings.Hold>();
    for (int i = 0; i < 3; i++) {
      held.add(holdings.take("ana"));
    }
    // Half of them: three that are held, and what runs.
    submit(admission, session("ana"), "first");
    submit(admission, session("ana"), "second");
    assertThat(running).hasSize(1);
    held.add(holdings.take("ana"));
    finish();
    assertThat(running).isEmpty();
    // Others are served on.
    submit(admission, session("bo"), "b");
    finish();
    held.removeFirst().close();
    assertThat(running).hasSize(1);
    finish();
    assertThat(began).containsExactly("b", "first", "b", "second");
  }

  @Test
  void whoHoldsManyForTooLongHearsIt() {
    holdings = new Holdings(4);
    Admission admission = admission(8, 100);
    for (int i = 0; i < 3; i++) {
      var _ = holdings.take("ana");
    }
    submit(admission, session("ana"), "late");
    clock.advance(Duration.ofSeconds(31));
    admission.sweep();
    assertThat(refused)
        .singleElement()
        .asString()
        .contains("30 s (queue_timeout)", "hold 3 connections to the catalog");
  }

  @Test
  void aTaskThatThrowsGivesItsSlotBack() {
    Admission admission = admission(1, 100);
    Session ana = session("ana");
    admission.run(
        ana,
        new Cancellation(),
        () -> {
          throw new IllegalStateException("on purpose");
        });
    submit(admission, ana, "next");
    assertThat(org.assertj.core.api.Assertions.catchThrowable(this::finish)).isNotNull();
    finishAll();
    assertThat(began).containsExactly("next");
  }
}
