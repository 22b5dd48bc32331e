package com.lokryn.ducklake.app;

import com.lokryn.ducklake.observe.CheckId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Something that the server needs does not work. */
final class ProbeException extends Exception {
  private static final long serialVersionUID = 1L;

  private final @Nullable CheckId check;
  private final String detail;

  /**
   * @param detail a sentence for everyone who asks whether the server is ready; see {@link
   *     com.lokryn.ducklake.observe.Readiness.Condition}
   * @param text for the log: what the service itself says, without secrets
   */
  ProbeException(String detail, String text) {
    this(null, detail, text);
  }

  /**
   * @param check the one of the probe's checks that fails; null where that is all of them
   */
  ProbeException(@Nullable CheckId check, String detail, String text) {
    super(text, null, false, false);
    this.check = check;
    this.detail = detail;
  }

  Optional<CheckId> check() {
    return Optional.ofNullable(check);
  }

  String detail() {
    return detail;
  }

  String text() {
    return String.valueOf(getMessage());
  }
}
