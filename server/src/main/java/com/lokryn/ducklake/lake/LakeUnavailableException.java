package com.lokryn.ducklake.lake;

/** The lake cannot be opened; the text says why and what to do. */
public final class LakeUnavailableException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What stands in the way, as far as a caller has to tell it apart. */
  public enum Cause {
    /** This process may not read or write where it has to. */
    PERMISSION,
    /** Something the lake needs is not there, broken, or in use by another process. */
    DEPENDENCY
  }

  private final Cause kind;

  LakeUnavailableException(Cause kind, String text) {
    super(text);
    this.kind = kind;
  }

  LakeUnavailableException(Cause kind, String text, Throwable cause) {
    super(text, cause);
    this.kind = kind;
  }

  public Cause kind() {
    return kind;
  }
}
