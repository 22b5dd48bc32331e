package com.lokryn.ducklake.aws;

import java.net.URI;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/** Clients of stand-ins on this machine. */
final class TestingClients {
  static final String REGION = "eu-west-1";
  static final StaticCredentialsProvider CREDENTIALS =
      StaticCredentialsProvider.create(
          AwsBasicCredentials.create("AKIATESTING", "canary-7f3a-secret-key"));

  private TestingClients() {}

  static AwsClients of(URI endpoint) {
    return new AwsClients(CREDENTIALS, () -> Region.of(REGION), Optional.of(endpoint));
  }
}
