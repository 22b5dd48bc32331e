package com.lokryn.ducklake.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GrantsTest {
  @Test
  void allowWhatIsWrittenAndNothingElse() {
    Grants grants =
        Grants.parse(Map.of("main.Orders", "select | insert", "open.*", "SELECT", "mine.t", "all"));
    assertThat(grants.allow(Privilege.SELECT, "MAIN", "orders")).isTrue();
    assertThat(grants.allow(Privilege.INSERT, "main", "ORDERS")).isTrue();
    assertThat(grants.allow(Privilege.DELETE, "main", "orders")).isFalse();
    assertThat(grants.allow(Privilege.SELECT, "main", "others")).isFalse();
    assertThat(grants.allow(Privilege.SELECT, "open", "anything")).isTrue();
    assertThat(grants.allow(Privilege.UPDATE, "open", "anything")).isFalse();
    for (Privilege privilege : Privilege.values()) {
      assertThat(grants.allow(privilege, "mine", "t")).isTrue();
      assertThat(grants.allow(privilege, "mine", "u")).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource({"orders,select", ".t,select", "main.,select", "main.t,own", "main.t,''", "main.t,|"})
  void whatCannotBeReadIsRefused(String table, String privileges) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Grants.parse(Map.of(table, privileges)))
        .withMessageStartingWith("has a grant");
  }
}
