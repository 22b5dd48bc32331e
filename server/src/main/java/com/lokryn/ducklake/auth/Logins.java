package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.config.FlightUser;
import com.lokryn.ducklake.config.FlightUser.Form;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Checks names and passwords. A hash is made on a thread of its own, a few of them at once, so that
 * logins leave the processors to those who are in; and not again for a while for who was right, as
 * some clients send their password with each call. Thread-safe.
 */
public final class Logins implements AutoCloseable {
  private static final Duration REMEMBERED = Duration.ofMinutes(5);
  private static final String MAC = "HmacSHA256";
  private static final int MAC_BYTES = 32;

  /** With the most memory that a hash may take, these are a quarter of the heap. */
  private static final int MAX_THREADS = 2;

  private static final int MAX_WAITING = 64;
  private static final long IDLE_SECONDS = 30;

  /**
   * A login that was right.
   *
   * @param key stands for name and password
   */
  private record Right(ByteBuffer key, Instant until) {}

  private final Map<String, Right> remembered = new ConcurrentHashMap<>();
  private final Map<ByteBuffer, CompletableFuture<Optional<Identity>>> running =
      new ConcurrentHashMap<>();
  private final Users users;
  private final LoginThrottle throttle;
  private final InstantSource clock;
  private final SecretKeySpec secret;
  private final ThreadPoolExecutor threads;

  public Logins(Users users, InstantSource clock) {
    this.users = users;
    this.throttle = new LoginThrottle(clock);
    this.clock = clock;
    byte[] bytes = new byte[MAC_BYTES];
    new SecureRandom().nextBytes(bytes);
    this.secret = new SecretKeySpec(bytes, MAC);
    int count = Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, MAX_THREADS);
    this.threads =
        new ThreadPoolExecutor(
            count,
            count,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_WAITING),
            Thread.ofPlatform().name("login-", 0).daemon().factory());
    threads.allowCoreThreadTimeOut(true);
  }

  /** Whether anyone has to show who they are. */
  public boolean areAsked() {
    return users.areAsked();
  }

  /** A login that is not looked at, because too many before it were wrong. */
  static final class ThrottledException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Duration wait;

    ThrottledException(Duration wait) {
      super("too many failed logins");
      this.wait = wait;
    }

    /** How long to wait before the next try. */
    Duration delay() {
      return wait;
    }
  }

  /** Who has that name now, whose token was found right. */
  public Optional<Identity> identity(String name) {
    return users.identity(name);
  }

  /**
   * Who it is, if the password is theirs; it takes as long for one who is not there. The answer is
   * there at once where that takes no hash. It is a {@link ThrottledException} after too many wrong
   * ones, and a {@link RejectedExecutionException} when too many wait already.
   *
   * @param address where it comes from, null where that is not known
   */
  public CompletableFuture<Optional<Identity>> check(
      String name, String password, @Nullable InetAddress address) {
    ByteBuffer key = key(name, password);
    Right right = remembered.get(name);
    if (right != null && right.key.equals(key) && clock.instant().isBefore(right.until)) {
      return CompletableFuture.completedFuture(users.identity(name));
    }
    CompletableFuture<Optional<Identity>> earlier = running.get(key);
    if (earlier != null) {
      return earlier;
    }
    Optional<Duration> wait = throttle.begin(name, address);
    if (wait.isPresent()) {
      return CompletableFuture.failedFuture(new ThrottledException(wait.get()));
    }
    Optional<FlightUser> known = users.find(name).filter(user -> user.form() != Form.NONE);
    Optional<FlightUser> compared = known.or(() -> users.standIn(key(name, "").getInt(0)));
    if (compared.isEmpty() || compared.get().form() == Form.CLEAR) {
      Optional<Identity> found = compared.flatMap(user -> answer(known, user, password));
      tell(found, name, address);
      return CompletableFuture.completedFuture(found);
    }
    return hash(known, compared.get(), password, key, name, address);
  }

  private CompletableFuture<Optional<Identity>> hash(
      Optional<FlightUser> known,
      FlightUser compared,
      String password,
      ByteBuffer key,
      String name,
      @Nullable InetAddress address) {
    var answer = new CompletableFuture<Optional<Identity>>();
    CompletableFuture<Optional<Identity>> earlier = running.putIfAbsent(key, answer);
    if (earlier != null) {
      throttle.abandoned(name, address);
      return earlier;
    }
    try {
      threads.execute(
          () -> {
            try {
              Optional<Identity> found = answer(known, compared, password);
              found.ifPresent(_ -> remember(name, key));
              tell(found, name, address);
              running.remove(key);
              answer.complete(found);
            } catch (RuntimeException e) {
              throttle.abandoned(name, address);
              running.remove(key);
              answer.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      throttle.abandoned(name, address);
      running.remove(key);
      answer.completeExceptionally(e);
    }
    return answer;
  }

  private void tell(Optional<Identity> found, String name, @Nullable InetAddress address) {
    if (found.isPresent()) {
      throttle.succeeded(name, address);
    } else {
      throttle.failed(name, address);
    }
  }

  private static Optional<Identity> answer(
      Optional<FlightUser> known, FlightUser compared, String password) {
    boolean isRight = Passwords.isOf(compared, password);
    return known.map(Users::identity).filter(_ -> isRight);
  }

  private void remember(String name, ByteBuffer key) {
    remembered.put(name, new Right(key, clock.instant().plus(REMEMBERED)));
  }

  /** Tells logins apart as their text would, and is of no use to who finds it in a dump. */
  private ByteBuffer key(String name, String password) {
    byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
    try {
      Mac mac = Mac.getInstance(MAC);
      mac.init(secret);
      mac.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, nameBytes.length));
      mac.update(nameBytes);
      return ByteBuffer.wrap(mac.doFinal(password.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + MAC, e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
