package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SessionSettings;
import com.lokryn.ducklake.engine.Sql;
import com.lokryn.ducklake.query.QueryException;
import com.lokryn.ducklake.query.QueryService;
import com.lokryn.ducklake.query.Session;
import com.lokryn.ducklake.query.Sessions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.Flight.SessionOptionValue;
import org.apache.arrow.flight.impl.Flight.SessionOptionValue.OptionValueCase;
import org.apache.arrow.flight.impl.Flight.SetSessionOptionsResult.ErrorValue;

/**
 * The options of a session: where its names are looked up, and the settings of DuckDB that are its
 * own, which are those that USE and SET change; whether it uses the cache of results, and into how
 * many parts its results are divided.
 */
final class SessionHandler {
  private static final String CATALOG = "catalog";
  private static final String SCHEMA = "schema";
  private static final String RESULT_CACHE = "result_cache";
  private static final String PARTITIONS = "partitions";
  private static final Pattern NUMBER = Pattern.compile("\\d{1,18}");

  private final QueryService queries;
  private final Sessions sessions;
  private final Consumer<Session> beforeEnd;

  /**
   * @param beforeEnd told of a session before it ends
   */
  SessionHandler(QueryService queries, Sessions sessions, Consumer<Session> beforeEnd) {
    this.queries = queries;
    this.sessions = sessions;
    this.beforeEnd = beforeEnd;
  }

  /** Sets what can be set, and says of each of the others why not. */
  Flight.SetSessionOptionsResult set(Flight.SetSessionOptionsRequest request, Call call)
      throws EngineException {
    var result = Flight.SetSessionOptionsResult.newBuilder();
    // The catalog before its schema, whatever order the map has.
    List<Map.Entry<String, SessionOptionValue>> options =
        request.getSessionOptionsMap().entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .toList();
    for (Map.Entry<String, SessionOptionValue> option : options) {
      Optional<ErrorValue> error = set(option.getKey(), option.getValue(), call);
      error.ifPresent(
          value ->
              result.putErrors(
                  option.getKey(),
                  Flight.SetSessionOptionsResult.Error.newBuilder().setValue(value).build()));
    }
    return result.build();
  }

  private static Optional<ErrorValue> setCache(SessionOptionValue value, Session session) {
    Optional<Boolean> wanted =
        switch (value.getOptionValueCase()) {
          case BOOL_VALUE -> Optional.of(value.getBoolValue());
          case STRING_VALUE ->
              switch (value.getStringValue()) {
                case "true" -> Optional.of(true);
                case "false" -> Optional.of(false);
                default -> Optional.empty();
              };
          case OPTIONVALUE_NOT_SET -> Optional.of(true);
          case INT64_VALUE, DOUBLE_VALUE, STRING_LIST_VALUE -> Optional.empty();
        };
    wanted.ifPresent(session::useCache);
    return wanted.isPresent() ? Optional.empty() : Optional.of(ErrorValue.INVALID_VALUE);
  }

  private static Optional<ErrorValue> setPartitions(SessionOptionValue value, Session session) {
    boolean isSet =
        switch (value.getOptionValueCase()) {
          case INT64_VALUE -> session.divide(value.getInt64Value());
          case STRING_VALUE ->
              NUMBER.matcher(value.getStringValue()).matches()
                  && session.divide(Long.parseLong(value.getStringValue()));
          case OPTIONVALUE_NOT_SET -> session.divide(1);
          case BOOL_VALUE, DOUBLE_VALUE, STRING_LIST_VALUE -> false;
        };
    return isSet ? Optional.empty() : Optional.of(ErrorValue.INVALID_VALUE);
  }

  private Optional<ErrorValue> set(String name, SessionOptionValue value, Call call)
      throws EngineException {
    if (name.equals(RESULT_CACHE)) {
      return setCache(value, call.session());
    }
    if (name.equals(PARTITIONS)) {
      return setPartitions(value, call.session());
    }
    if (!name.equals(CATALOG) && !name.equals(SCHEMA) && !SessionSettings.isAllowed(name)) {
      return Optional.of(ErrorValue.INVALID_NAME);
    }
    Optional<String> statement =
        statement(name, value, call.session().namespace(), call.session().initial());
    if (statement.isEmpty()) {
      return Optional.of(ErrorValue.INVALID_VALUE);
    }
    try {
      queries.update(call.session(), statement.get(), call.cancellation());
      return Optional.empty();
    } catch (EngineException e) {
      return switch (e.error()) {
        // Not of the value: the client may try the same again.
        case CONNECTION, CATALOG_LOST, CATALOG_BUSY, CLOSED, IO, INTERRUPTED -> throw e;
        default -> Optional.of(ErrorValue.INVALID_VALUE);
      };
    } catch (QueryException e) {
      call.cancellation().check();
      return Optional.of(ErrorValue.ERROR);
    }
  }

  /** The statement that sets an option; none where the value is of the wrong kind. */
  private static Optional<String> statement(
      String name, SessionOptionValue value, Namespace present, Namespace initial) {
    boolean isErased = value.getOptionValueCase() == OptionValueCase.OPTIONVALUE_NOT_SET;
    if (isErased && (name.equals(CATALOG) || name.equals(SCHEMA))) {
      return Optional.of(use(initial));
    }
    if (name.equals(CATALOG)) {
      // A schema of another catalog would not be there.
      return text(value)
          .map(
              catalog ->
                  catalog.equals(present.catalog())
                      ? use(present)
                      : "USE " + Sql.identifier(catalog));
    }
    if (name.equals(SCHEMA)) {
      return text(value).map(schema -> use(new Namespace(present.catalog(), schema)));
    }
    return switch (value.getOptionValueCase()) {
      case STRING_VALUE ->
          Optional.of("SET SESSION %s = %s".formatted(name, Sql.literal(value.getStringValue())));
      case BOOL_VALUE -> Optional.of("SET SESSION %s = %b".formatted(name, value.getBoolValue()));
      case INT64_VALUE -> Optional.of("SET SESSION %s = %d".formatted(name, value.getInt64Value()));
      case OPTIONVALUE_NOT_SET -> Optional.of("RESET SESSION " + name);
      case DOUBLE_VALUE, STRING_LIST_VALUE -> Optional.empty();
    };
  }

  private static String use(Namespace namespace) {
    return "USE %s.%s"
        .formatted(Sql.identifier(namespace.catalog()), Sql.identifier(namespace.schema()));
  }

  private static Optional<String> text(SessionOptionValue value) {
    return value.hasStringValue() && !value.getStringValue().isEmpty()
        ? Optional.of(value.getStringValue())
        : Optional.empty();
  }

  /** All options, as they are now. */
  Flight.GetSessionOptionsResult get(Call call) throws EngineException {
    var result = Flight.GetSessionOptionsResult.newBuilder();
    Namespace namespace = call.session().namespace();
    result.putSessionOptions(CATALOG, value(namespace.catalog()));
    result.putSessionOptions(SCHEMA, value(namespace.schema()));
    result.putSessionOptions(
        RESULT_CACHE,
        SessionOptionValue.newBuilder().setBoolValue(call.session().usesCache()).build());
    result.putSessionOptions(
        PARTITIONS,
        SessionOptionValue.newBuilder().setInt64Value(call.session().partitions()).build());
    queries
        .ask(call.session(), call.cancellation(), SessionHandler::settings)
        .forEach(row -> result.putSessionOptions(row.get(0), typed(row.get(1))));
    return result.build();
  }

  private static List<List<String>> settings(EngineConnection connection) throws EngineException {
    return connection.rows(
        SessionSettings.NAMES.stream()
            .map(name -> "SELECT %1$s, current_setting(%1$s)::VARCHAR".formatted(Sql.literal(name)))
            .collect(Collectors.joining(" UNION ALL ")));
  }

  /** A setting's value as the kind that it is, which clients ask for by kind. */
  private static SessionOptionValue typed(String text) {
    var value = SessionOptionValue.newBuilder();
    return switch (text) {
      case "true", "false" -> value.setBoolValue(Boolean.parseBoolean(text)).build();
      default ->
          NUMBER.matcher(text).matches()
              ? value.setInt64Value(Long.parseLong(text)).build()
              : value(text);
    };
  }

  private static SessionOptionValue value(String text) {
    return SessionOptionValue.newBuilder().setStringValue(text).build();
  }

  /** Ends the session of the caller, and all that only it could ask for. */
  Flight.CloseSessionResult close(Call call) {
    sessions.end(call.session(), beforeEnd);
    return Flight.CloseSessionResult.newBuilder()
        .setStatus(Flight.CloseSessionResult.Status.CLOSED)
        .build();
  }
}
