package com.lokryn.ducklake.doctor;

import com.lokryn.ducklake.aws.Permission;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Setting;
import com.lokryn.ducklake.observe.CheckId;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One self-test.
 *
 * @param proves what is true when it passes
 * @param attempt how it is tried; nothing that lasts is changed
 * @param permissions the IAM actions that it takes; it fails when one of them is missing
 * @param settings those without which it cannot be tried
 * @param needs checks that must have passed before
 * @param after checks that must have ended before, however
 */
public record Check(
    CheckId id,
    String proves,
    Attempt attempt,
    List<Permission> permissions,
    List<Setting<?>> settings,
    Set<CheckId> needs,
    Set<CheckId> after) {
  /** What one may take; the services' own clients give up before, and say why. */
  static final Duration TIMEOUT = Duration.ofSeconds(100);

  /** Tries it. */
  @FunctionalInterface
  public interface Attempt {
    Finding on(Subject subject);
  }

  static Check of(CheckId id, String proves, Attempt attempt) {
    return new Check(id, proves, attempt, List.of(), List.of(), Set.of(), Set.of());
  }

  Check allowedBy(Permission... actions) {
    return new Check(id, proves, attempt, List.of(actions), settings, needs, after);
  }

  Check with(Setting<?>... needed) {
    return new Check(id, proves, attempt, permissions, List.of(needed), needs, after);
  }

  Check needing(CheckId... passed) {
    return new Check(id, proves, attempt, permissions, settings, Set.of(passed), after);
  }

  Check after(CheckId... ended) {
    return new Check(id, proves, attempt, permissions, settings, needs, Set.of(ended));
  }

  /** All that must have ended before. */
  Set<CheckId> earlier() {
    return Stream.concat(needs.stream(), after.stream()).collect(Collectors.toUnmodifiableSet());
  }
}
