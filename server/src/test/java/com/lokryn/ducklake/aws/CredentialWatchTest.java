package com.lokryn.ducklake.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.testing.ScriptedService;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;

class CredentialWatchTest {
  private static final Duration OFTEN = Duration.ofMillis(20);
  private static final Duration NEVER = Duration.ofHours(1);

  private final AtomicReference<AwsCredentials> now = new AtomicReference<>(keys("AKIA1", "token"));
  private final AtomicInteger failures = new AtomicInteger();
  private final AwsCredentialsProvider provider =
      () -> {
        if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
          throw SdkClientException.create("no answer");
        }
        return now.get();
      };
  private final List<AwsKeys> seen = new CopyOnWriteArrayList<>();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(CredentialWatch.class);

  @BeforeEach
  void listen() {
    log.start();
    logger.addAppender(log);
    logger.setLevel(Level.DEBUG);
  }

  @AfterEach
  void noKeyWasLogged() {
    logger.detachAppender(log);
    logger.setLevel(null);
    assertThat(log.list).noneMatch(event -> event.getFormattedMessage().contains("canary"));
  }

  @Test
  void startGivesTheFirstKeysAndShowsNoSecret() throws Exception {
    try (var watch = new CredentialWatch(provider, NEVER, seen::add)) {
      AwsKeys first = watch.start();
      assertThat(first.accessKeyId()).isEqualTo("AKIA1");
      assertThat(first.secretAccessKey().reveal()).isEqualTo("canary-AKIA1");
      assertThat(first.sessionToken().orElseThrow().reveal()).isEqualTo("canary-token");
      assertThat(first.toString()).contains("AKIA1").doesNotContain("canary");
    }
    assertThat(seen).isEmpty();
  }

  @Test
  void withoutCredentialsItDoesNotStart() {
    failures.set(1);
    try (var watch = new CredentialWatch(provider, NEVER, seen::add)) {
      StartException thrown = catchThrowableOfType(StartException.class, watch::start);
      assertThat(thrown.problem().kind()).isEqualTo(Kind.PERMISSION);
    }
  }

  @Test
  void theListenerIsToldOnceOfEachChange() throws Exception {
    try (var watch = new CredentialWatch(provider, OFTEN, seen::add)) {
      var _ = watch.start();
      now.set(keys("AKIA2", "token"));
      await().until(() -> seen.size() == 1);
      now.set(keys("AKIA2", "other token"));
      await().until(() -> seen.size() == 2);
      watch.refresh().get(5, TimeUnit.SECONDS);
      assertThat(seen).extracting(AwsKeys::accessKeyId).containsExactly("AKIA2", "AKIA2");
    }
  }

  @Test
  void aRefreshDoesNotWaitForThePeriod() throws Exception {
    try (var watch = new CredentialWatch(provider, NEVER, seen::add)) {
      var _ = watch.start();
      now.set(keys("AKIA2", "token"));
      watch.refresh().get(5, TimeUnit.SECONDS);
      assertThat(seen).hasSize(1);
    }
  }

  @Test
  void manyWhoAskAtOnceShareOneLook() throws Exception {
    var looks = new AtomicInteger();
    var listening = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    AwsCredentialsProvider counting =
        () -> {
          looks.incrementAndGet();
          return now.get();
        };
    try (var watch =
        new CredentialWatch(
            counting,
            NEVER,
            keys -> {
              listening.countDown();
              goOn.await();
              seen.add(keys);
            })) {
      var _ = watch.start();
      now.set(keys("AKIA2", "token"));
      var _ = watch.refresh();
      listening.await();
      var all = Stream.generate(watch::refresh).limit(100).toList();
      goOn.countDown();
      CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get(5, TimeUnit.SECONDS);
      assertThat(looks).hasValue(3);
      assertThat(watch.current()).contains(seen.getFirst());
    }
  }

  @Test
  void anOutageIsToldOnceAndSurvived() throws Exception {
    try (var watch = new CredentialWatch(provider, NEVER, seen::add)) {
      var _ = watch.start();
      failures.set(2);
      watch.refresh().get(5, TimeUnit.SECONDS);
      watch.refresh().get(5, TimeUnit.SECONDS);
      assertThat(watch.problem()).hasValueSatisfying(p -> assertThat(p).contains("no answer"));
      now.set(keys("AKIA2", "token"));
      watch.refresh().get(5, TimeUnit.SECONDS);
      assertThat(watch.problem()).isEmpty();
      assertThat(seen).hasSize(1);
      assertThat(log.list).filteredOn(event -> event.getLevel() == Level.WARN).hasSize(1);
    }
  }

  @Test
  void aListenerThatFailsIsGivenTheKeysAgain() throws Exception {
    var calls = new AtomicInteger();
    try (var watch =
        new CredentialWatch(
            provider,
            OFTEN,
            keys -> {
              if (calls.incrementAndGet() == 1) {
                throw new IllegalStateException("SECRET '" + keys.secretAccessKey().reveal() + "'");
              }
              if (calls.get() == 2) {
                throw new AssertionError(keys.secretAccessKey().reveal());
              }
              seen.add(keys);
            })) {
      var _ = watch.start();
      now.set(keys("AKIA2", "token"));
      await().until(() -> seen.size() == 1);
      assertThat(calls).hasValue(3);
    }
  }

  @Test
  void closingEndsIt() throws Exception {
    var watch = new CredentialWatch(provider, OFTEN, seen::add);
    var _ = watch.start();
    watch.close();
    now.set(keys("AKIA2", "token"));
    watch.refresh().get(5, TimeUnit.SECONDS);
    assertThat(seen).isEmpty();
    // Its last task is over; the thread itself takes a moment more.
    await()
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .noneMatch(thread -> thread.getName().equals("credential-watch")));
  }

  /** As ECS and EKS give them, and far shorter than the SDK's own margin. */
  @Test
  void credentialsOfAContainerThatLive20SecondsAreReplaced() throws Exception {
    var key = new AtomicReference<>("AKIA1");
    try (var service =
        ScriptedService.to(
            _ ->
                ScriptedService.Answer.json(
                    200,
                    """
                    {"AccessKeyId": "%s", "SecretAccessKey": "canary", "Token": "canary",
                     "Expiration": "%s"}"""
                        .formatted(key.get(), Instant.now().plusSeconds(20).toString())))) {
      System.setProperty("aws.containerCredentialsFullUri", service.endpoint() + "/keys");
      try (var container = ContainerCredentialsProvider.builder().build();
          var watch = new CredentialWatch(container, OFTEN, seen::add)) {
        assertThat(watch.start().accessKeyId()).isEqualTo("AKIA1");
        key.set("AKIA2");
        await().atMost(Duration.ofSeconds(15)).until(() -> !seen.isEmpty());
        assertThat(seen).first().extracting(AwsKeys::accessKeyId).isEqualTo("AKIA2");
      } finally {
        System.clearProperty("aws.containerCredentialsFullUri");
      }
    }
  }

  private static AwsCredentials keys(String id, String token) {
    return AwsSessionCredentials.create(id, "canary-" + id, "canary-" + token);
  }
}
