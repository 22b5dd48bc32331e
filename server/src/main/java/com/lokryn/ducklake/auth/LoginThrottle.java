package com.lokryn.ducklake.auth;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Slows down those who guess passwords: after some failures further tries have to wait, each time
 * twice as long. It counts each name from each address, so that nobody can lock out a user who is
 * elsewhere, and with more patience each address, which behind a load balancer may be that of all
 * clients. Only so much is remembered. Thread-safe.
 */
final class LoginThrottle {
  /** In a minute; the more generous one is for all names together. */
  private static final int FAILURES_OF_NAME = 10;

  private static final int FAILURES_OF_ADDRESS = 100;
  private static final Duration WINDOW = Duration.ofMinutes(1);
  private static final Duration FIRST_WAIT = Duration.ofSeconds(1);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);
  private static final int MAX_DOUBLINGS = 6;

  /** After so much time without a failure all is forgotten. */
  private static final Duration FORGIVEN = Duration.ofMinutes(10);

  private static final int MAX_REMEMBERED = 10_000;

  /** Names that are longer are no user's; they are counted together. */
  private static final int NAME_CHARACTERS = 128;

  private static final int NETWORK_BYTES = 8;

  /**
   * What is counted.
   *
   * @param name null for all names from the address
   */
  private record Key(@Nullable String name, String address) {}

  private static final class Tally {
    private final int most;
    private int failures;

    /** Tries whose end is not known yet. */
    private int pending;

    private Instant windowBegan;
    private Instant waitsUntil;
    private Instant last;

    Tally(int most, Instant now) {
      this.most = most;
      this.windowBegan = now;
      this.waitsUntil = now;
      this.last = now;
    }

    /** When the next try may be made. At the limit they are made one after the other. */
    Instant free(Instant now) {
      if (isOver(now)) {
        failures = 0;
      }
      boolean isCrowded = pending > 0 && failures + pending >= most;
      return isCrowded && !waitsUntil.isAfter(now) ? now.plus(FIRST_WAIT) : waitsUntil;
    }

    void failed(Instant now) {
      if (failures == 0 || isOver(now)) {
        failures = 0;
        windowBegan = now;
      }
      failures++;
      last = now;
      if (failures >= most) {
        Duration wait = FIRST_WAIT.multipliedBy(1L << Math.min(failures - most, MAX_DOUBLINGS));
        waitsUntil = now.plus(wait.compareTo(LONGEST_WAIT) < 0 ? wait : LONGEST_WAIT);
      }
    }

    void ended() {
      pending = Math.max(0, pending - 1);
    }

    /** Few failures count for a minute; from the limit on they are forgiven after a long pause. */
    private boolean isOver(Instant now) {
      return failures < most
          ? now.isAfter(windowBegan.plus(WINDOW))
          : now.isAfter(last.plus(FORGIVEN));
    }
  }

  private final InstantSource clock;

  /** The one that failed last is last. */
  private final LinkedHashMap<Key, Tally> tallies =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Tally> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };

  LoginThrottle(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * Begins a try, whose end is to be told.
   *
   * @return how long to wait, if it may not be made
   */
  synchronized Optional<Duration> begin(String name, @Nullable InetAddress address) {
    Instant now = clock.instant();
    List<Key> keys = keys(name, address);
    Instant free = now;
    for (Key key : keys) {
      Tally tally = tallies.get(key);
      if (tally != null && tally.free(now).isAfter(free)) {
        free = tally.free(now);
      }
    }
    if (free.isAfter(now)) {
      return Optional.of(Duration.between(now, free));
    }
    keys.forEach(key -> tally(key, now).pending++);
    return Optional.empty();
  }

  private Tally tally(Key key, Instant now) {
    return tallies.computeIfAbsent(
        key, made -> new Tally(made.name == null ? FAILURES_OF_ADDRESS : FAILURES_OF_NAME, now));
  }

  /** The password was wrong, or there is nobody of that name. */
  synchronized void failed(String name, @Nullable InetAddress address) {
    Instant now = clock.instant();
    for (Key key : keys(name, address)) {
      Tally tally = tally(key, now);
      tally.ended();
      tally.failed(now);
    }
  }

  /** It was right: nothing is held against this name at this address any more. */
  synchronized void succeeded(String name, @Nullable InetAddress address) {
    List<Key> keys = keys(name, address);
    tallies.remove(keys.getFirst());
    ended(keys.getLast());
  }

  /** The password was not looked at. */
  synchronized void abandoned(String name, @Nullable InetAddress address) {
    keys(name, address).forEach(this::ended);
  }

  private void ended(Key key) {
    Tally tally = tallies.get(key);
    if (tally != null) {
      tally.ended();
    }
  }

  /** How many names and addresses are remembered. */
  synchronized int size() {
    return tallies.size();
  }

  private static List<Key> keys(String name, @Nullable InetAddress address) {
    String from = network(address);
    String counted = name.length() > NAME_CHARACTERS ? name.substring(0, NAME_CHARACTERS) : name;
    return List.of(new Key(counted, from), new Key(null, from));
  }

  /** Whoever has an address of IPv6 has all 2^64 of its network. */
  private static String network(@Nullable InetAddress address) {
    if (address == null) {
      return "unknown";
    }
    return address instanceof Inet6Address
        ? HexFormat.of().formatHex(Arrays.copyOf(address.getAddress(), NETWORK_BYTES))
        : address.getHostAddress();
  }
}
