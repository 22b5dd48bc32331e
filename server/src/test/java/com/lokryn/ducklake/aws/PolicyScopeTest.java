package com.lokryn.ducklake.aws;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.config.S3Location;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What resources and conditions are made of. */
class PolicyScopeTest {
  private static PolicyScope scope(String secretId) {
    return new PolicyScope(
        "us-east-1",
        "us-east-1",
        Optional.empty(),
        secretId,
        new S3Location("bucket", "data/"),
        Optional.of("arn:aws:kms:eu-west-1:123456789012:key/abc"),
        Optional.empty(),
        "",
        false,
        false);
  }

  private static String keyService(String secretId) {
    return PolicyStatement.CONFIGURATION_KEY.condition(scope(secretId)).orElseThrow().value();
  }

  @Test
  void theSecretsKeyIsUsedWhereTheSecretIs() {
    assertThat(keyService("config")).isEqualTo("secretsmanager.us-east-1.amazonaws.com");
    assertThat(keyService("arn:aws:secretsmanager:eu-west-1:123456789012:secret:config-AbCdEf"))
        .isEqualTo("secretsmanager.eu-west-1.amazonaws.com");
    assertThat(keyService("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:config-AbCdEf"))
        .isEqualTo("secretsmanager.cn-north-1.amazonaws.com.cn");
  }
}
