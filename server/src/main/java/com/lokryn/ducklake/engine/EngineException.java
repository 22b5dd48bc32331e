package com.lokryn.ducklake.engine;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A failure of the engine: its kind and DuckDB's own text, without what the driver wraps it in. */
public final class EngineException extends Exception {
  private static final long serialVersionUID = 1L;

  /** The driver's frames around errors of direct statements and of their first rows. */
  private static final Pattern DRIVER_FRAME =
      Pattern.compile(
          "^Invalid Input Error: Attempting to (?:execute an unsuccessful or closed pending query"
              + " result|fetch from an unsuccessful query result)\nError: ");

  /** What an exception of the driver becomes on its way through a C stream. */
  private static final String EXCEPTION_NAME = "java.sql.SQLException: ";

  /** Arrow's frames around errors of a C stream. */
  private static final Pattern C_STREAM_FRAME =
      Pattern.compile(
          "^(?:\\[errno -?\\d+] )?(?:CDataJniException\\{errno=-?\\d+, message=)?", Pattern.DOTALL);

  private static final Pattern ERROR_NAME =
      Pattern.compile("(?:^|\\n|Error: |')([A-Z][A-Za-z ]{2,40}(?:Error|error)): ");

  private final EngineError error;

  public EngineException(EngineError error, String text) {
    super(text);
    this.error = error;
  }

  private EngineException(EngineError error, String text, Throwable cause) {
    super(text, cause);
    this.error = error;
  }

  /** Takes over what the driver or the Arrow reader threw. */
  static EngineException of(Throwable thrown) {
    if (thrown instanceof EngineException already) {
      return already;
    }
    if (thrown instanceof RuntimeException bug && bug.getMessage() == null) {
      // The engine's errors always say something: this one is ours.
      throw bug;
    }
    String text = clean(thrown.getMessage());
    return new EngineException(EngineError.of(text), text, thrown);
  }

  public EngineError error() {
    return error;
  }

  /** DuckDB's text; never null. */
  public String text() {
    return String.valueOf(getMessage());
  }

  public boolean isInstanceLost() {
    return error.isInstanceLost();
  }

  static String clean(@Nullable String raw) {
    if (raw == null || raw.isBlank()) {
      return "the engine gave no text for this error";
    }
    String text = DRIVER_FRAME.matcher(withoutName(raw)).replaceFirst("");
    Matcher frame = C_STREAM_FRAME.matcher(text);
    if (frame.find()) {
      text = text.substring(frame.end());
      text =
          frame.group().endsWith("=") && text.endsWith("}")
              ? text.substring(0, text.length() - 1)
              : text;
    }
    text = stripStackTrace(text);
    Matcher name = ERROR_NAME.matcher(text);
    if (!text.matches("(?s)[A-Za-z ]+(Error|error): .*") && name.find()) {
      text = text.substring(name.start(1));
    }
    return text.strip();
  }

  private static String withoutName(String text) {
    return text.startsWith(EXCEPTION_NAME) ? text.substring(EXCEPTION_NAME.length()) : text;
  }

  /** DuckDB adds the native stack to internal errors: nothing for a client. */
  private static String stripStackTrace(String text) {
    int at = text.indexOf("\nStack Trace:");
    return at < 0 ? text : text.substring(0, at);
  }
}
