package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.SecretSource;
import com.lokryn.ducklake.config.SecretText;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.arns.Arn;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.retries.api.RetryStrategy;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.secretsmanager.model.GetSecretValueResponse;

/**
 * Reads secrets from AWS Secrets Manager, in the region of the secret's ARN or else the process's
 * own. A service that answers with faults of its own is asked again a few times; one that does not
 * answer is asked once.
 */
public final class SecretsManagerSource implements SecretSource {
  private static final Logger LOG = LoggerFactory.getLogger(SecretsManagerSource.class);

  /**
   * How long to wait.
   *
   * @param attempt for one answer
   * @param silence for any sign of the service, with looking for region and credentials
   * @param all for everything, once the service has given a sign
   * @param pause before the second attempt; it doubles with each further one
   * @param attempts how often a service that answers with faults is asked
   */
  record Patience(Duration attempt, Duration silence, Duration all, Duration pause, int attempts) {
    static final Patience USUAL =
        new Patience(
            Duration.ofSeconds(4),
            Duration.ofSeconds(8),
            Duration.ofSeconds(60),
            Duration.ofSeconds(1),
            5);
  }

  private final AwsClients clients;
  private final Patience patience;

  public SecretsManagerSource(AwsClients clients) {
    this(clients, Patience.USUAL);
  }

  SecretsManagerSource(AwsClients clients, Patience patience) {
    this.clients = clients;
    this.patience = patience;
  }

  @Override
  public Answer read(String id) {
    var answered = new AtomicBoolean();
    // In a thread of its own: looking up names and asking an instance for its role have no limits.
    var task = new FutureTask<>(() -> ask(id, answered));
    Thread thread = Thread.ofVirtual().name("secrets-manager").start(task);
    try {
      return task.get(patience.silence().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return answered.get() ? later(task, thread) : silent(thread);
    } catch (InterruptedException e) {
      return interrupted(thread);
    } catch (ExecutionException e) {
      throw new IllegalStateException("asking Secrets Manager failed", e.getCause());
    }
  }

  private Answer later(FutureTask<Answer> task, Thread thread) {
    try {
      return task.get(patience.all().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      thread.interrupt();
      return failed("it did not end its answer within " + patience.all().toSeconds() + " s");
    } catch (InterruptedException e) {
      return interrupted(thread);
    } catch (ExecutionException e) {
      throw new IllegalStateException("asking Secrets Manager failed", e.getCause());
    }
  }

  private Answer silent(Thread thread) {
    thread.interrupt();
    return new NotAccessible(
        Kind.DEPENDENCY,
        "there was no answer within %d ms".formatted(patience.silence().toMillis()),
        unreachableRemedy("its region"));
  }

  private static Answer interrupted(Thread thread) {
    thread.interrupt();
    Thread.currentThread().interrupt();
    return failed("the start was interrupted");
  }

  private Answer ask(String id, AtomicBoolean answered) {
    Optional<Region> region = region(id);
    if (region.isEmpty()) {
      return new NotAccessible(
          Kind.CONFIGURATION,
          "the region of the process is not known",
          "set AWS_REGION to the region of the secret, or %s to the secret's ARN"
              .formatted(Settings.DUCKLAKE_SECRET_ID.variable()));
    }
    try (SecretsManagerClient client =
        clients.secretsManager(region.get(), configuration(answered))) {
      GetSecretValueResponse response = client.getSecretValue(request -> request.secretId(id));
      return response.secretString() == null
          ? new Binary()
          : new Found(new SecretText(response.secretString()));
    } catch (SdkServiceException e) {
      return refused(id, region.get(), e);
    } catch (SdkClientException e) {
      if (answered.get()) {
        return failed(brokenText(e));
      }
      if (AwsErrors.noCredentials(e)) {
        LOG.debug("no credentials", e);
        return new NotAccessible(
            Kind.PERMISSION,
            "the process has no AWS credentials (LOG_LEVEL=debug tells where they were looked for)",
            "give the task a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID");
      }
      return new NotAccessible(
          Kind.DEPENDENCY, AwsErrors.text(e), unreachableRemedy(region.get().id()));
    }
  }

  /** Of an answer that could not be read; the parser's text may hold a part of the secret. */
  private static String brokenText(SdkClientException e) {
    LOG.debug("the answer of Secrets Manager could not be read: {}", e.getClass().getName());
    return "its answer cannot be read, or ended too early";
  }

  private Answer refused(String id, Region region, SdkServiceException e) {
    String text = AwsErrors.text(e);
    if (AwsErrors.isFault(e)) {
      return failed(text);
    }
    String key = Settings.DUCKLAKE_SECRET_ID.variable();
    return switch (AwsErrors.code(e)) {
      case "ValidationException", "InvalidParameterException" ->
          new Failed(
              new StartProblem(
                  Kind.CONFIGURATION,
                  "Secrets Manager does not take the name of the secret: " + text,
                  "set %s to the secret's name or ARN".formatted(key)));
      case "ResourceNotFoundException" ->
          new Absent(
              text,
              "create the secret in %s, or set %s to the name or ARN of another one"
                  .formatted(region.id(), key));
      case "InvalidRequestException" ->
          new NotAccessible(Kind.PERMISSION, text, "restore the secret if it was deleted");
      case "DecryptionFailure" ->
          new NotAccessible(
              Kind.PERMISSION, text, "see that the secret's KMS key is there and enabled");
      case "AccessDeniedException" ->
          new NotAccessible(Kind.PERMISSION, text, accessRemedy(id, region, text, e));
      default ->
          new NotAccessible(
              Kind.PERMISSION,
              text,
              "see that the process's AWS credentials are in force and may do %s"
                  .formatted(Permission.GET_SECRET_VALUE.action()));
    };
  }

  private static String accessRemedy(String id, Region region, String text, SdkServiceException e) {
    if (text.contains("Access to KMS is not allowed")) {
      return "add kms:Decrypt on the secret's KMS key to the policy of the task role";
    }
    return AwsErrors.grant(
        e, Permission.GET_SECRET_VALUE, PolicyScope.secretArn(id, region.id(), "*"));
  }

  private Optional<Region> region(String id) {
    return id.startsWith("arn:")
        ? Arn.fromString(id).region().map(Region::of)
        : clients.ownRegion().map(Region::of);
  }

  private ClientOverrideConfiguration configuration(AtomicBoolean answered) {
    RetryStrategy retries =
        DefaultRetryStrategy.standardStrategyBuilder()
            // Only faults: what cannot be reached is asked once.
            .useClientDefaults(false)
            .retryOnException(AwsErrors::isFault)
            .maxAttempts(patience.attempts())
            .backoffStrategy(
                BackoffStrategy.exponentialDelay(
                    patience.pause(), patience.pause().multipliedBy(8)))
            .build();
    return ClientOverrideConfiguration.builder()
        .apiCallAttemptTimeout(patience.attempt())
        .retryStrategy(retries)
        .addExecutionInterceptor(new Answered(answered))
        .build();
  }

  private static String unreachableRemedy(String region) {
    return ("see that the task reaches Secrets Manager in %s: a route to the internet, or a VPC"
            + " endpoint for secretsmanager")
        .formatted(region);
  }

  private static Failed failed(String text) {
    return new Failed(
        new StartProblem(
            Kind.DEPENDENCY,
            "Secrets Manager does not work now: " + text,
            "start again later, and look at AWS's status of the service"));
  }

  /** Notes that an answer came, of whatever kind. */
  private record Answered(AtomicBoolean answered) implements ExecutionInterceptor {
    @Override
    public void afterTransmission(
        Context.AfterTransmission context, ExecutionAttributes attributes) {
      answered.set(true);
    }
  }
}
