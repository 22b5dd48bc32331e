package com.lokryn.ducklake.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class S3LocationTest {
  @ParameterizedTest
  @CsvSource({
    "s3://bucket, s3://bucket/data/",
    "s3://bucket/, s3://bucket/data/",
    "s3://bucket//, s3://bucket/data/",
    "S3://bucket, s3://bucket/data/",
    "s3://my.bucket-1, s3://my.bucket-1/data/",
    "s3://bucket/path, s3://bucket/path/",
    "s3://bucket/path/, s3://bucket/path/",
    "s3://bucket/path//, s3://bucket/path/",
    "s3://bucket/data/, s3://bucket/data/",
    "s3://bucket/a/b_c/D=1, s3://bucket/a/b_c/D=1/",
    "s3://bucket/who@home, s3://bucket/who@home/",
  })
  void readsEachForm(String text, String url) {
    assertThat(S3Location.parse(text).url()).isEqualTo(url);
  }

  @Test
  void givesBucketAndKeys() {
    S3Location location = S3Location.parse("s3://bucket/a/b");
    assertThat(location.bucket()).isEqualTo("bucket");
    assertThat(location.prefix()).isEqualTo("a/b/");
    assertThat(location.key(".keep")).isEqualTo("a/b/.keep");
  }

  @ParameterizedTest
  @CsvSource({
    "bucket, starts with s3://",
    "https://bucket.s3.amazonaws.com/path, starts with s3://",
    "s3a://bucket, starts with s3://",
    "s3:/bucket, starts with s3://",
    "s3://, 3 to 63",
    "s3:///path, 3 to 63",
    "s3://ab, 3 to 63",
    "s3://a234567890123456789012345678901234567890123456789012345678901234, 3 to 63",
    "s3://Bucket, lower-case",
    "s3://my_bucket, lower-case",
    "s3://bucket:9000/x, lower-case",
    "s3://-bucket, start and end",
    "s3://bucket., start and end",
    "s3://my..bucket, two dots",
    "s3://10.0.0.1/x, IP address",
    "s3://AKIAX:canary@bucket/x, before an @",
    "s3://bucket?region=canary, ? or a #",
    "s3://bucket/x#canary, ? or a #",
    "s3://bucket/a//b, two slashes",
    "s3://bucket//path/, two slashes",
    "s3://bucket/a/../b, . or ..",
    "s3://bucket/a b, not safe",
    "s3://bucket/*, not safe",
    "s3://bucket/ä, not safe",
  })
  void saysWhatIsWrong(String text, String sentence) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> S3Location.parse(text))
        .withMessageContaining(sentence)
        .satisfies(e -> assertThat(e).message().doesNotContain("canary"));
  }
}
