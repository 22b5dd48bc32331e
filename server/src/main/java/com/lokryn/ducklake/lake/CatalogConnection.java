package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Sql;
import java.util.Optional;

/**
 * How an engine comes to a catalog in Postgres. Passwords reach DuckDB in secrets only: a
 * connection string would show in {@code duckdb_databases()} and in errors.
 */
record CatalogConnection(PostgresCatalog catalog, String application) {
  /** What servers are called in Postgres's list of connections. */
  private static final String SERVER = "ducklake-flight";

  /** How long Postgres may take to let a connection in. */
  private static final int CONNECT_SECONDS = 5;

  /** When a connection that answers nothing at all is given up: 5 s of silence, 3 questions. */
  private static final String LIVENESS =
      "keepalives_idle=5 keepalives_interval=2 keepalives_count=3 tcp_user_timeout=10000";

  CatalogConnection(PostgresCatalog catalog) {
    this(catalog, SERVER);
  }

  /** By another way. */
  CatalogConnection to(PostgresCatalog next) {
    return new CatalogConnection(next, application);
  }

  /** What of the connection may be seen by anyone, in libpq's form. */
  String options() {
    return "sslmode=%s connect_timeout=%d application_name=%s %s"
        .formatted(catalog.sslMode(), CONNECT_SECONDS, application, LIVENESS);
  }

  /** The statement that makes the secret with the rest. */
  String createSecret(String name) {
    return "CREATE OR REPLACE SECRET %s (TYPE postgres, HOST %s, PORT %d, DATABASE %s, USER %s,"
            .formatted(
                name,
                Sql.literal(catalog.host()),
                catalog.port(),
                Sql.literal(catalog.database()),
                Sql.literal(catalog.user()))
        + " PASSWORD "
        + Sql.literal(catalog.password().reveal())
        + ")";
  }

  /** Where it is, for an operator. */
  String where() {
    return "%s:%d".formatted(catalog.host(), catalog.port());
  }

  /** What is known to be wrong, from the words of a failure. */
  Optional<RemoteLakeFault> fault(EngineException failure) {
    return RemoteLakeFault.of(text(failure));
  }

  /**
   * What is wrong, for an operator.
   *
   * @param dataPath where the settings have the lake's data
   */
  StartProblem problem(EngineException failure, String dataPath) {
    String text = text(failure);
    return fault(failure)
        .map(fault -> fault.problem(text, where(), catalog, dataPath))
        .orElseGet(
            () ->
                new StartProblem(
                    Kind.DEPENDENCY,
                    "the lake's catalog in Postgres at %s cannot be opened: %s"
                        .formatted(where(), text),
                    "see Postgres's log"));
  }

  private String text(EngineException failure) {
    return withoutPassword(failure.text()).replaceAll("\\s+", " ").strip();
  }

  private String withoutPassword(String text) {
    String password = catalog.password().reveal();
    return password.isEmpty() ? text : text.replace(password, catalog.password().toString());
  }
}
