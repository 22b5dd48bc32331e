package com.lokryn.ducklake.ipc;

/** Batches that cannot be taken in; the text says which column and why. */
public final class IpcException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What is wrong with them. */
  public enum Fault {
    /** They contradict themselves, or Arrow's format. */
    MALFORMED,
    /** They are right, but this server does not take them in this form. */
    UNSUPPORTED,
    /** They hold more than is taken in at once. */
    TOO_LARGE
  }

  private final Fault fault;

  private IpcException(Fault fault, String text) {
    super(text);
    this.fault = fault;
  }

  public static IpcException malformed(String text) {
    return new IpcException(Fault.MALFORMED, "the Arrow data is not valid: " + text);
  }

  static IpcException unsupported(String text) {
    return new IpcException(Fault.UNSUPPORTED, text);
  }

  static IpcException tooLarge(String text) {
    return new IpcException(Fault.TOO_LARGE, text);
  }

  public String text() {
    return String.valueOf(getMessage());
  }

  public Fault fault() {
    return fault;
  }
}
