package com.lokryn.ducklake.query;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Sql;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a snapshot of the lake tells of the statement that made it, so that {@code FROM
 * lake.snapshots()} is an audit trail: the user as author, the statement's kind as message, and the
 * query id, under which the log has it too, in the extra information, which is a JSON object.
 */
record Signature(String author, String kind, Map<String, Object> extra) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Statements whose transaction changes a lake. */
  static boolean isDue(String verb) {
    return switch (verb) {
      case "insert",
          "update",
          "delete",
          "merge",
          "create",
          "drop",
          "alter",
          "comment",
          "truncate",
          "with",
          "copy" ->
          true;
      default -> false;
    };
  }

  static Signature of(Execution execution) {
    return new Signature(
        execution.session().user(), execution.verb(), Map.of("query_id", execution.id().value()));
  }

  Signature with(String name, Object value) {
    var more = new LinkedHashMap<>(extra);
    more.put(name, value);
    return new Signature(author, kind, more);
  }

  /** Puts it into the commit of the connection's transaction. */
  void sign(EngineConnection connection) throws EngineException {
    connection.run(
        "CALL system.main.ducklake_set_commit_message('lake', %s, %s, extra_info => %s)"
            .formatted(Sql.literal(author), Sql.literal(kind), Sql.literal(json(extra))));
  }

  /** Reads the extra information of a snapshot; it is empty where someone else wrote it. */
  static JsonNode extra(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      return JSON.createObjectNode();
    }
  }

  static String json(Map<String, Object> values) {
    try {
      return JSON.writeValueAsString(values);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Work on a connection. */
  interface Work<T> {
    T run() throws EngineException;
  }

  /** What a transaction is signed with once its work is done. */
  interface Signing<T> {
    Signature after(T result) throws EngineException;
  }

  /**
   * Runs work in a transaction of its own, and commits it signed; all of it is there or nothing.
   * Interrupts stop the work, not the commit.
   */
  static <T> T commit(
      EngineConnection connection, Cancellation cancellation, Work<T> work, Signing<T> signing)
      throws EngineException {
    connection.begin(false);
    return commitBegun(connection, cancellation, work, signing);
  }

  /** The same in a transaction that was begun. */
  static <T> T commitBegun(
      EngineConnection connection, Cancellation cancellation, Work<T> work, Signing<T> signing)
      throws EngineException {
    try {
      T result = work.run();
      signing.after(result).sign(connection);
      cancellation.check();
      return connection.committing(
          () -> {
            cancellation.uninterrupted(connection, "COMMIT");
            return result;
          });
    } catch (EngineException | RuntimeException e) {
      connection.rollBack(e);
      throw e;
    }
  }
}
