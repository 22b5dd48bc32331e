package com.lokryn.ducklake.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.aws.Permission;
import com.lokryn.ducklake.aws.PolicyStatement;
import com.lokryn.ducklake.aws.PolicyStatement.Role;
import com.lokryn.ducklake.observe.CheckId;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ChecksTest {
  @Test
  void eachIdHasOneCheckButWhatOnlyARunningServerHas() {
    var others = EnumSet.allOf(CheckId.class);
    others.removeAll(Checks.ALL.stream().map(Check::id).toList());
    assertThat(others).containsExactly(CheckId.DRAIN);
    assertThat(Checks.ALL).extracting(Check::id).doesNotHaveDuplicates();
  }

  @Test
  void theyAreShownInOneOrder() {
    assertThat(Checks.ALL).isSortedAccordingTo(Comparator.comparing(Check::id));
  }

  @Test
  void nothingIsInAPolicyThatNoCheckNames() {
    var named = new HashSet<Permission>();
    Checks.ALL.forEach(check -> named.addAll(check.permissions()));
    Set<Permission> ofTheProcess =
        Set.copyOf(
            Arrays.stream(Permission.values())
                .filter(
                    permission ->
                        Arrays.stream(PolicyStatement.values())
                            .filter(statement -> statement.role() == Role.TASK)
                            .anyMatch(statement -> permission.isOf(statement)))
                .toList());
    assertThat(named).isEqualTo(ofTheProcess);
  }

  /** Or the doctor would wait for ever. */
  @Test
  void noneWaitsForItself() {
    var ended = EnumSet.noneOf(CheckId.class);
    boolean more = true;
    while (more) {
      more = false;
      for (Check check : Checks.ALL) {
        if (ended.containsAll(check.earlier())) {
          more |= ended.add(check.id());
        }
      }
    }
    assertThat(ended).hasSameSizeAs(Checks.ALL);
  }
}
