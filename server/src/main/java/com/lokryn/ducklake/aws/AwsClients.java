package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.Finding;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.AwsRegionProvider;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.marketplacemetering.MarketplaceMeteringClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/**
 * Makes the clients of AWS's services; all of them share one provider of credentials and one HTTP
 * client. Nothing is asked of the network before a client is used.
 *
 * <p>The SDK's own variables are in force: credentials ({@code AWS_PROFILE}, {@code
 * AWS_CONTAINER_CREDENTIALS_FULL_URI}, ...), the process's region, and endpoints ({@code
 * AWS_ENDPOINT_URL}, {@code AWS_ENDPOINT_URL_S3}, {@code AWS_ENDPOINT_URL_SECRETS_MANAGER}, {@code
 * AWS_ENDPOINT_URL_MARKETPLACE_METERING}).
 */
public final class AwsClients implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AwsClients.class);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration SILENCE_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration S3_TIMEOUT = Duration.ofSeconds(30);

  private final AwsCredentialsProvider credentials;
  private final AwsRegionProvider region;
  private final Optional<URI> endpoint;
  private final SdkHttpClient http =
      UrlConnectionHttpClient.builder()
          .connectionTimeout(CONNECT_TIMEOUT)
          .socketTimeout(SILENCE_TIMEOUT)
          .build();

  /**
   * @param credentials closed by whoever made it
   * @param region the region that the process runs in
   * @param endpoint where all services are, instead of where the SDK's variables say
   */
  public AwsClients(
      AwsCredentialsProvider credentials, AwsRegionProvider region, Optional<URI> endpoint) {
    this.credentials = credentials;
    this.region = region;
    this.endpoint = endpoint;
  }

  /** As the environment of the process says. */
  public static AwsClients ofProcess() {
    return new AwsClients(
        DefaultCredentialsProvider.builder().build(),
        DefaultAwsRegionProviderChain.builder().build(),
        Optional.empty());
  }

  /** The credentials of the process; resolving them costs nothing until they are near their end. */
  AwsCredentialsProvider credentials() {
    return credentials;
  }

  /** Looks whether there are credentials. */
  public Finding tryCredentials() {
    try {
      AwsCredentials found = credentials.resolveCredentials();
      return new Finding.Passed(
          found instanceof AwsSessionCredentials ? "temporary ones" : "long-term keys");
    } catch (SdkException e) {
      LOG.debug("no credentials", e);
      return new Finding.Failed(AwsErrors.NO_CREDENTIALS);
    }
  }

  /** The region that the process runs in, if it can be known; may ask the network. */
  public Optional<String> ownRegion() {
    try {
      return Optional.ofNullable(region.getRegion()).map(Region::id);
    } catch (SdkClientException e) {
      return Optional.empty();
    }
  }

  /**
   * A client of S3, to be closed by the caller.
   *
   * @param bucketRegion the region of the bucket
   */
  S3Client s3(String bucketRegion) {
    S3Client client = s3Builder(bucketRegion).build();
    if (client.serviceClientConfiguration().endpointOverride().isEmpty()) {
      return client;
    }
    // Names of buckets are no names of machines there.
    client.close();
    return s3Builder(bucketRegion).forcePathStyle(true).build();
  }

  /** Where S3 is, if that is not AWS: path style is in use then. DuckDB needs to know. */
  public Optional<URI> s3Endpoint() {
    try (S3Client client = s3Builder(Region.US_EAST_1.id()).build()) {
      return client.serviceClientConfiguration().endpointOverride();
    }
  }

  /** A client of Secrets Manager, to be closed by the caller. */
  SecretsManagerClient secretsManager(Region of, ClientOverrideConfiguration configuration) {
    return common(SecretsManagerClient.builder(), of)
        .httpClient(http)
        .overrideConfiguration(configuration)
        .build();
  }

  /**
   * A client of AWS Marketplace's metering, to be closed by the caller. It asks once: whoever uses
   * it repeats for itself.
   *
   * @param of the region that the process runs in
   * @param timeout how long one request may take
   */
  MarketplaceMeteringClient marketplaceMetering(Region of, Duration timeout) {
    return common(MarketplaceMeteringClient.builder(), of)
        .httpClient(http)
        .overrideConfiguration(
            configuration ->
                configuration
                    .retryStrategy(DefaultRetryStrategy.doNotRetry())
                    .apiCallTimeout(timeout))
        .build();
  }

  private S3ClientBuilder s3Builder(String bucketRegion) {
    return common(S3Client.builder(), Region.of(bucketRegion))
        .httpClient(http)
        .overrideConfiguration(
            configuration ->
                configuration.apiCallAttemptTimeout(SILENCE_TIMEOUT).apiCallTimeout(S3_TIMEOUT));
  }

  private <B extends AwsClientBuilder<B, ?>> B common(B builder, Region of) {
    builder.region(of).credentialsProvider(credentials);
    endpoint.ifPresent(builder::endpointOverride);
    return builder;
  }

  /** Ends the connections; clients that are open yet fail from here on. */
  @Override
  public void close() {
    http.close();
  }
}
