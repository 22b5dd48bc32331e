package com.lokryn.ducklake.app;

/** Something that the server needs does not work. */
final class ProbeException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String detail;

  /**
   * @param detail a sentence for everyone who asks whether the server is ready; see {@link
   *     com.lokryn.ducklake.observe.Readiness.Condition}
   * @param text for the log: what the service itself says, without secrets
   */
  ProbeException(String detail, String text) {
    super(text, null, false, false);
    this.detail = detail;
  }

  String detail() {
    return detail;
  }

  String text() {
    return String.valueOf(getMessage());
  }
}
