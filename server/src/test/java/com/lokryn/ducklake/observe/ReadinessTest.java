package com.lokryn.ducklake.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.observe.Readiness.Check;
import com.lokryn.ducklake.observe.Readiness.Condition;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadinessTest {
  private final Readiness readiness = new Readiness();

  @Test
  void isReadyWhileAllConditionsHold() {
    assertThat(readiness.isReady()).isFalse();
    readiness.ok(Check.ENGINE);
    assertThat(readiness.isReady()).isTrue();
    readiness.notOk(Check.S3, "gone");
    assertThat(readiness.isReady()).isFalse();
    readiness.ok(Check.S3);
    assertThat(readiness.isReady()).isTrue();
  }

  @Test
  void showsItsConditionsInOneOrder() {
    readiness.ok(Check.DRAIN);
    readiness.notOk(Check.S3, "gone");
    readiness.ok(Check.ENGINE);
    assertThat(readiness.conditions())
        .containsExactly(
            new Condition(Check.ENGINE, true, "ok"),
            new Condition(Check.S3, false, "gone"),
            new Condition(Check.DRAIN, true, "ok"));
  }

  @Test
  void tellsWhenTheWholeChanges() {
    var told = new ArrayList<Boolean>();
    readiness.notOk(Check.ENGINE, "not open");
    readiness.listen(told::add);
    readiness.ok(Check.ENGINE);
    readiness.ok(Check.ENGINE);
    readiness.notOk(Check.S3, "gone");
    readiness.notOk(Check.CATALOG, "gone too");
    readiness.ok(Check.S3);
    readiness.ok(Check.CATALOG);
    assertThat(told).isEqualTo(List.of(false, true, false, true));
  }
}
