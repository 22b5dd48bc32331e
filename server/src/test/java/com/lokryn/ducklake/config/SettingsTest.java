package com.lokryn.ducklake.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.lokryn.ducklake.config.Setting.Need;
import com.lokryn.ducklake.config.Settings.SslMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
  @Test
  void theRequiredOnesAreThese() {
    assertThat(Settings.ALL)
        .filteredOn(setting -> setting.need() == Need.REQUIRED)
        .extracting(Setting::key)
        .containsExactly(
            "postgres_user", "postgres_password", "postgres_db", "s3_bucket_url", "aws_region");
  }

  @Test
  void eachKeyIsThereOnce() {
    assertThat(Settings.ALL)
        .extracting(Setting::key)
        .doesNotHaveDuplicates()
        .allMatch(key -> key.matches("[a-z0-9_]+"));
  }

  @Test
  void aNameServesEverywhere() {
    assertThat(Settings.DUCKLAKE_SECRET_ID.variable()).isEqualTo("DUCKLAKE_SECRET_ID");
    assertThat(Settings.DUCKLAKE_SECRET_ID.flag()).isEqualTo("--ducklake-secret-id");
  }

  @ParameterizedTest
  @ValueSource(strings = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
  void sslModesHaveLibpqsNames(String name) {
    assertThat(Settings.POSTGRES_SSLMODE.read(name).libpqName()).isEqualTo(name);
  }

  @Test
  void otherSslModesAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.POSTGRES_SSLMODE.read("verify_ca"))
        .withMessageContaining("verify-ca, verify-full");
    assertThat(SslMode.values()).hasSize(6);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-7", "us-isob-east-1"})
  void takesRegions(String name) {
    assertThat(Settings.AWS_REGION.read(name)).isEqualTo(name);
  }

  @ParameterizedTest
  @CsvSource({"us-east-1a, availability zone", "us_east_1, us-east-1", "Virginia, us-east-1"})
  void refusesWhatIsNoRegion(String text, String sentence) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.AWS_REGION.read(text))
        .withMessageContaining(sentence);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lokryn/ducklake/config",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:lokryn/ducklake/config-AbCdEf",
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:lokryn/ducklake/config",
      })
  void takesNamesAndArnsOfSecrets(String text) {
    assertThat(Settings.DUCKLAKE_SECRET_ID.read(text)).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "has space",
        "arn:aws:secretsmanager:eu-west-1:12:secret:x",
        "arn:aws:s3:::bucket",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:secret:lokryn/ducklake/config",
      })
  void refusesWhatIsNoSecretsName(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.DUCKLAKE_SECRET_ID.read(text))
        .withMessageContaining("or its ARN");
  }

  @Test
  void aPasswordKeepsItsSpaces() {
    assertThat(Settings.POSTGRES_PASSWORD.read(" a'\"\\; ").reveal()).isEqualTo(" a'\"\\; ");
  }

  @Test
  void aPasswordWithALineBreakIsRefusedWithoutShowingIt() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.POSTGRES_PASSWORD.read("canary\n"))
        .withMessageContaining("line break")
        .satisfies(e -> assertThat(e).message().doesNotContain("canary"));
  }

  @Test
  void whatASecretsReaderSaysIsNotShown() {
    Setting<Object> setting =
        Setting.optional(
                "x",
                text -> {
                  throw new IllegalArgumentException(text + " is bad");
                },
                "",
                "the pin")
            .hidden();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> setting.read("canary"))
        .withMessage("cannot be read: it is the pin")
        .withNoCause();
  }

  @Test
  void aPathThatIsNoneIsNotRepeated() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.TEMP_DIRECTORY.read("a\0canary"))
        .withMessage("is the path of a file or a directory");
  }

  @Test
  void nothingIsNoValue() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.POSTGRES_HOST.read(" "))
        .withMessage("is empty");
  }
}
