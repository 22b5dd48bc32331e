package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.SecretText;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

/**
 * Credentials as they are now.
 *
 * @param sessionToken empty for those that do not end
 */
public record AwsKeys(
    String accessKeyId, SecretText secretAccessKey, Optional<SecretText> sessionToken) {
  static AwsKeys of(AwsCredentials credentials) {
    return new AwsKeys(
        credentials.accessKeyId(),
        new SecretText(credentials.secretAccessKey()),
        credentials instanceof AwsSessionCredentials session
            ? Optional.of(new SecretText(session.sessionToken()))
            : Optional.empty());
  }
}
