package com.lokryn.ducklake.http;

import com.lokryn.ducklake.access.Identity;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the console shows, and ends. All that it gives is made of maps, lists, texts, numbers and
 * booleans, as JSON is; times are milliseconds since 1970. Nothing waits for longer than some
 * seconds. Thread-safe.
 */
public interface ConsoleData extends AutoCloseable {
  /** What comes of asking a request who it comes from. */
  sealed interface Entry {}

  /** Somebody who may look. */
  record Visitor(Identity identity) implements Entry {}

  /**
   * Nobody who may look.
   *
   * @param status of HTTP
   * @param text for the client
   */
  record Refused(int status, String text) implements Entry {}

  /**
   * What the lake has.
   *
   * @param version another one when anything has changed
   */
  record LakeState(String version, Map<String, @Nullable Object> content) {}

  /** False where everyone may look. */
  boolean areUsersAsked();

  /**
   * Asks who a request comes from.
   *
   * @param authorization its header of that name
   */
  Entry enter(@Nullable String authorization, @Nullable InetAddress from)
      throws InterruptedException;

  /** What is at work and was, as far as somebody may see it, and the numbers of the server. */
  Map<String, @Nullable Object> now(Identity visitor) throws InterruptedException;

  /** The lake as it was some seconds ago; empty while it was not looked at yet. */
  Optional<LakeState> lake(Identity visitor);

  /** A statement with its plan; empty where there is none of that id, or it is not theirs. */
  Optional<Map<String, @Nullable Object>> statement(String id, Identity visitor)
      throws InterruptedException;

  /** Ends a statement; false where there is none of that id, or it is not theirs. */
  boolean killQuery(String id, Identity visitor);

  /** Ends a session; false where there is none of that id, or it is not theirs. */
  boolean killSession(String id, Identity visitor);

  @Override
  void close();
}
