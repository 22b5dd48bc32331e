package com.lokryn.ducklake.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.TestingClock;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** How long guesses have to wait, by a clock that the test sets. */
class LoginThrottleTest {
  private final TestingClock clock = new TestingClock("2026-01-01T00:00:00Z");
  private final LoginThrottle throttle = new LoginThrottle(clock);

  private static InetAddress address(String text) throws Exception {
    return InetAddress.getByName(text);
  }

  /** A wrong password, if it may be tried at all. */
  private Optional<Duration> guess(String name, InetAddress from) {
    Optional<Duration> wait = throttle.begin(name, from);
    if (wait.isEmpty()) {
      throttle.failed(name, from);
    }
    return wait;
  }

  @Test
  void waitsBecomeLongerUpToAMinute() throws Exception {
    InetAddress from = address("192.0.2.1");
    for (int i = 0; i < 10; i++) {
      assertThat(guess("ana", from)).isEmpty();
    }
    var waits = new ArrayList<Long>();
    for (int i = 0; i < 9; i++) {
      Duration wait = guess("ana", from).orElseThrow();
      waits.add(wait.toSeconds());
      clock.advance(wait.minusMillis(1));
      assertThat(guess("ana", from)).as("a moment too early").isPresent();
      clock.advance(Duration.ofMillis(1));
      assertThat(guess("ana", from)).isEmpty();
    }
    assertThat(waits).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L, 60L);
  }

  @Test
  void nobodyElseHasToWait() throws Exception {
    InetAddress attacker = address("192.0.2.1");
    for (int i = 0; i < 11; i++) {
      guess("ana", attacker);
    }
    assertThat(guess("ana", attacker)).isPresent();
    assertThat(throttle.begin("ana", address("192.0.2.2"))).isEmpty();
    assertThat(throttle.begin("bo", attacker)).isEmpty();
    assertThat(throttle.begin("ana", null)).isEmpty();
  }

  @Test
  void aFewMistakesAreForgotten() throws Exception {
    InetAddress from = address("192.0.2.1");
    for (int round = 0; round < 5; round++) {
      for (int i = 0; i < 9; i++) {
        assertThat(guess("ana", from)).isEmpty();
      }
      clock.advance(Duration.ofSeconds(61));
    }
    for (int i = 0; i < 9; i++) {
      assertThat(guess("ana", from)).isEmpty();
    }
    assertThat(throttle.begin("ana", from)).isEmpty();
    throttle.succeeded("ana", from);
    for (int i = 0; i < 10; i++) {
      assertThat(guess("ana", from)).isEmpty();
    }
    assertThat(guess("ana", from)).isPresent();
    clock.advance(Duration.ofMinutes(11));
    for (int i = 0; i < 10; i++) {
      assertThat(guess("ana", from)).isEmpty();
    }
  }

  /** All names from one address; behind a load balancer it may be that of all clients. */
  @Test
  void anAddressHasMorePatience() throws Exception {
    InetAddress from = address("192.0.2.1");
    for (int i = 0; i < 100; i++) {
      assertThat(guess("name" + i, from)).isEmpty();
    }
    assertThat(guess("another", from)).contains(Duration.ofSeconds(1));
    assertThat(guess("another", address("192.0.2.2"))).isEmpty();
  }

  @Test
  void whoeverHasANetworkOfIpv6HasOneAddress() throws Exception {
    for (int i = 0; i < 10; i++) {
      assertThat(guess("ana", address("2001:db8:1:2::" + i))).isEmpty();
    }
    assertThat(guess("ana", address("2001:db8:1:2:ffff::1"))).isPresent();
    assertThat(guess("ana", address("2001:db8:1:3::1"))).isEmpty();
  }

  /** Or all of them would be hashed before the first one is found wrong. */
  @Test
  void triesThatAreUnderWayCount() throws Exception {
    InetAddress from = address("192.0.2.1");
    for (int i = 0; i < 10; i++) {
      assertThat(throttle.begin("ana", from)).isEmpty();
    }
    assertThat(throttle.begin("ana", from)).contains(Duration.ofSeconds(1));
    throttle.abandoned("ana", from);
    assertThat(throttle.begin("ana", from)).isEmpty();
    for (int i = 0; i < 10; i++) {
      throttle.abandoned("ana", from);
    }
    assertThat(throttle.begin("ana", from)).isEmpty();
  }

  @Test
  void itsMemoryIsBounded() throws Exception {
    for (int i = 0; i < 30_000; i++) {
      guess("name" + i, address("10.%d.%d.1".formatted(i / 250, i % 250)));
    }
    assertThat(throttle.size()).isEqualTo(10_000);
    String longest = "n".repeat(60_000);
    InetAddress from = address("192.0.2.1");
    for (int i = 0; i < 10; i++) {
      assertThat(guess(longest + i, from)).isEmpty();
    }
    assertThat(guess(longest, from)).as("counted by its beginning").isPresent();
    assertThat(List.of(throttle.size())).containsExactly(10_000);
  }
}
