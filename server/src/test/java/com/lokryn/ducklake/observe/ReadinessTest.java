package com.lokryn.ducklake.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.observe.Readiness.Condition;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadinessTest {
  private final Readiness readiness = new Readiness();

  @Test
  void isReadyWhileAllConditionsHold() {
    assertThat(readiness.isReady()).isFalse();
    readiness.ok(CheckId.ENGINE);
    assertThat(readiness.isReady()).isTrue();
    readiness.notOk(CheckId.S3_GET, "gone");
    assertThat(readiness.isReady()).isFalse();
    readiness.ok(CheckId.S3_GET);
    assertThat(readiness.isReady()).isTrue();
  }

  @Test
  void showsItsConditionsInOneOrder() {
    readiness.ok(CheckId.DRAIN);
    readiness.notOk(CheckId.CATALOG, "gone");
    readiness.ok(CheckId.ENGINE);
    assertThat(readiness.state().conditions())
        .containsExactly(
            new Condition(CheckId.ENGINE, true, true, "ok"),
            new Condition(CheckId.CATALOG, false, true, "gone"),
            new Condition(CheckId.DRAIN, true, true, "ok"));
  }

  @Test
  void tellsWhenTheWholeChanges() {
    var told = new ArrayList<Boolean>();
    readiness.notOk(CheckId.ENGINE, "not open");
    readiness.listen(told::add);
    readiness.ok(CheckId.ENGINE);
    readiness.ok(CheckId.ENGINE);
    readiness.notOk(CheckId.S3_GET, "gone");
    readiness.notOk(CheckId.CATALOG, "gone too");
    readiness.ok(CheckId.S3_GET);
    readiness.ok(CheckId.CATALOG);
    assertThat(told).isEqualTo(List.of(false, true, false, true));
  }

  @Test
  void whatBlocksNothingIsShownOnly() {
    readiness.ok(CheckId.ENGINE);
    readiness.warn(CheckId.TLS, "the new certificate cannot be read");
    assertThat(readiness.isReady()).isTrue();
    assertThat(readiness.state().conditions())
        .contains(new Condition(CheckId.TLS, false, false, "the new certificate cannot be read"));
  }

  @Test
  void idsAreWhatScriptsKnow() {
    assertThat(CheckId.S3_PUT.id()).isEqualTo("s3.put");
    assertThat(CheckId.values())
        .extracting(CheckId::id)
        .doesNotHaveDuplicates()
        .allMatch(id -> id.matches("[a-z0-9]+(\\.[a-z]+)?"));
  }
}
