package com.lokryn.ducklake.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedactionTest {
  private static final Redaction REDACTION =
      Redaction.ofPaths(Map.of(Path.of("/srv/lake"), "<lake>"));

  @Test
  void aStatementKeepsItsValuesButNoPath() {
    assertThat(REDACTION.statement("SELECT 'ana', 42 FROM read_csv('/srv/lake/x.csv')"))
        .isEqualTo("SELECT 'ana', 42 FROM read_csv('<lake>/x.csv')");
  }

  @Test
  void whatOthersSayQuotesNoValues() {
    assertThat(Redaction.withoutValues("INTERNAL Error: no 'hidden' in \"hidden\", column 3"))
        .isEqualTo("INTERNAL Error: no '***' in \"***\", column 3");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CREATE SECRET s (TYPE s3, KEY_ID 'hidden', SECRET 'hidden')",
        "create secret s (type s3, provider config, secret $$hidden$$)",
        "CREATE SECRET s (SECRET $a$hidden$b$hidden$a$)",
        "ATTACH 'dbname=x password=hidden' AS p (TYPE postgres)",
        "SET s3_secret_access_key = 'it''s hidden",
        "SET password = $$hidden",
        "FROM read_parquet('https://x/y?X-Amz-Signature=hidden')",
        "FROM read_parquet('https://ana:hidden@host/y')"
      })
  void aStatementThatMayHoldASecretHasNoValues(String sql) {
    assertThat(REDACTION.statement(sql)).contains("'***'").doesNotContain("hidden");
  }
}
