package com.lokryn.ducklake.gate;

import com.lokryn.ducklake.engine.EngineException;
import org.jspecify.annotations.Nullable;

/**
 * A view or a macro that the lake's catalog has, which others than this server may have put there.
 * Thread-safe.
 */
final class StoredObject {
  /** What it is. */
  enum Kind {
    VIEW,
    MACRO,
    TABLE_MACRO
  }

  private final Kind kind;
  private final Name name;
  private final String body;
  private final String exports;
  private @Nullable References references;
  private @Nullable Refusal refusal;

  StoredObject(Kind kind, Name name, String body, String exports) {
    this.kind = kind;
    this.name = name;
    this.body = body;
    this.exports = exports;
  }

  Name name() {
    return name;
  }

  boolean isView() {
    return kind == Kind.VIEW;
  }

  /**
   * What it refers to.
   *
   * @throws Refusal when it does what no statement may
   */
  synchronized References references() {
    if (references == null && refusal == null) {
      try {
        references = read();
      } catch (Refusal e) {
        refusal = refused(e.text());
      } catch (EngineException e) {
        refusal = refused(e.text());
      }
    }
    if (references == null) {
      throw refusal == null ? refused("") : refusal;
    }
    return references;
  }

  private References read() throws EngineException {
    boolean isText = kind == Kind.VIEW && body.strip().regionMatches(true, 0, "create", 0, 6);
    return StatementReader.stored(
        isText ? StatementReader.queryOfView(body) : body, kind == Kind.MACRO, exports);
  }

  private Refusal refused(String why) {
    return new Refusal(
        "the %s %s, which the lake's catalog has, cannot be used: %s"
            .formatted(kind == Kind.VIEW ? "view" : "macro", name.text(), why));
  }
}
