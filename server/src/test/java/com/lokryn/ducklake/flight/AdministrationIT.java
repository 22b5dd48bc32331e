package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingUsers;
import io.grpc.Status;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What users see of the server's work by SQL, and end. */
@Timeout(60)
class AdministrationIT {
  /** Takes minutes before it gives its first row. */
  private static final String BLOCKING =
      "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 5";

  private static final String RUNNING =
      "SELECT query_id FROM server.queries WHERE sql LIKE '%b.range % 5'";

  /** The result of the one before may not be over. */
  private static final String OWN = "SELECT count(*) FROM server.queries WHERE phase <> 'stream'";

  private static TestingLakeServer server;
  private TestingClient root;
  private TestingClient wanda;
  private TestingClient ria;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start(Map.of("flight_users", TestingUsers.each()));
    try (TestingClient client = server.connect("root")) {
      client.update("CREATE TABLE t AS SELECT i FROM range(100000) r(i)");
    }
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void connect() {
    root = server.connect("root");
    wanda = server.connect("wanda");
    ria = server.connect("ria");
  }

  @AfterEach
  void disconnect() throws Exception {
    root.close();
    wanda.close();
    ria.close();
    await().until(() -> server.server().openConnections() == 0);
  }

  @Test
  void aStatementSeesItself() throws Exception {
    String sql = "SELECT \"user\", kind, phase, rows, sql FROM server.queries";
    assertThat(ria.rows(sql)).isEqualTo(List.of(List.of("ria", "select", "plan", 0L, sql)));
  }

  @Test
  void oneSeesOnesOwnAndAnAdministratorAll() throws Exception {
    try (FlightStream open = wanda.open("SELECT i, 'mine' FROM t, range(1000)")) {
      open.next();
      String shown =
          "SELECT \"user\" FROM server.queries WHERE sql LIKE '%''mine'' FROM%' AND phase = 'stream' AND rows > 0";
      assertThat(root.rows(shown)).isEqualTo(List.of(List.of("wanda")));
      assertThat(wanda.rows(shown)).isEqualTo(List.of(List.of("wanda")));
      assertThat(ria.rows(shown)).isEmpty();
      open.cancel("enough", null);
    }
    assertThat(root.rows("SELECT DISTINCT \"user\" FROM server.sessions ORDER BY 1"))
        .contains(List.of("ria"), List.of("root"), List.of("wanda"));
    assertThat(ria.rows("SELECT DISTINCT \"user\", role FROM server.sessions"))
        .isEqualTo(List.of(List.of("ria", "reader")));
  }

  @Test
  void theLogHasHowStatementsEnded() throws Exception {
    ria.rows("SELECT i, 'logged' FROM t LIMIT 5");
    assertFails(Status.Code.INVALID_ARGUMENT, () -> ria.rows("SELECT 1/i, error('logged') FROM t"));
    String sql =
        "SELECT kind, outcome, coalesce(cause, ''), rows, elapsed_ms > 0, queue_ms + plan_ms + first_batch_ms + stream_ms <= elapsed_ms + 1, started <= ended"
            + " FROM server.query_log WHERE sql LIKE '%''logged''%' AND sql NOT LIKE '%query_log%' ORDER BY ended";
    List<List<Object>> expected =
        List.of(
            row("select", "done", "", 5L, true, true, true),
            row("select", "failed", "invalid_input", 0L, true, true, true));
    // A result is sent before it is over.
    await().untilAsserted(() -> assertThat(ria.rows(sql)).isEqualTo(expected));
    assertThat(wanda.rows(sql)).isEmpty();
    assertThat(root.rows(sql)).hasSize(2);
  }

  private static List<Object> row(Object... values) {
    var row = new ArrayList<Object>();
    Collections.addAll(row, values);
    return row;
  }

  @Test
  void anAdministratorEndsAnybodysQuery() throws Exception {
    var blocked = CompletableFuture.runAsync(() -> wanda.info(BLOCKING));
    await().until(() -> !root.rows(RUNNING).isEmpty());
    String id = (String) root.value(RUNNING);
    assertFails(Status.Code.NOT_FOUND, () -> ria.update("KILL QUERY '%s'".formatted(id)))
        .contains("not yours");
    assertThat(root.update("KILL QUERY '%s'".formatted(id))).isEqualTo(1);
    assertFails(Status.Code.CANCELLED, () -> join(blocked)).contains("KILL QUERY of the user root");
    assertFails(Status.Code.NOT_FOUND, () -> root.update("KILL QUERY '%s'".formatted(id)));
    assertThat(
            root.rows(
                "SELECT outcome, cause FROM server.query_log WHERE query_id = '%s'".formatted(id)))
        .isEqualTo(List.of(List.of("cancelled", "killed")));
  }

  private static void join(CompletableFuture<?> call) throws Throwable {
    try {
      call.join();
    } catch (CompletionException e) {
      throw e.getCause();
    }
  }

  @Test
  void oneEndsOnesOwnStream() throws Exception {
    try (FlightStream open = ria.open("SELECT i, 'ended' FROM t, range(100000)");
        TestingClient other = server.connect("ria")) {
      open.next();
      String id =
          (String)
              other.value(
                  "SELECT query_id FROM server.queries WHERE sql LIKE '%''ended'' FROM t%'");
      other.rows("KILL QUERY '%s'".formatted(id));
      assertFails(
              Status.Code.CANCELLED,
              () -> {
                while (open.next()) {
                  // To the end of what was on its way.
                }
              })
          .contains("KILL QUERY");
    }
  }

  @Test
  void aSessionIsEndedWithAllThatIsInIt() throws Exception {
    wanda.update("BEGIN");
    wanda.update("INSERT INTO t VALUES (-1)");
    String session =
        "SELECT session_id FROM server.sessions WHERE in_transaction AND has_state AND \"user\" = 'wanda'";
    String id = (String) root.value(session);
    assertFails(Status.Code.NOT_FOUND, () -> ria.update("KILL SESSION '%s'".formatted(id)));
    root.update("KILL SESSION '%s'".formatted(id));
    assertFails(Status.Code.NOT_FOUND, () -> wanda.value("SELECT 2")).contains("KILL SESSION");
    assertThat(wanda.value("SELECT count(*) FROM t WHERE i < 0")).isEqualTo(0L);
    assertThat(root.rows(session)).isEmpty();
  }

  @Test
  void oneMayEndOnesOwnSession() throws Exception {
    String id = (String) ria.value("SELECT session_id FROM server.sessions");
    assertThat(ria.update("KILL SESSION '%s'".formatted(id))).isEqualTo(1);
    await()
        .ignoreExceptions()
        .until(() -> !ria.value("SELECT session_id FROM server.sessions").equals(id));
  }

  @Test
  void theTablesTakePartInStatements() throws Exception {
    wanda.update("CREATE TABLE saved AS SELECT * FROM server.query_log LIMIT 3");
    assertThat(
            wanda.rows(
                "SELECT count(*) <= 3 FROM saved s LEFT JOIN server.main.sessions USING (session_id)"))
        .isEqualTo(List.of(List.of(true)));
    wanda.update("DROP TABLE saved");
    wanda.update("CREATE TEMP TABLE kept (i INTEGER)");
    assertThat(wanda.value(OWN)).isEqualTo(1L);
    assertThat(wanda.value(OWN)).isEqualTo(1L);
    wanda.update("DROP TABLE kept");
    wanda.update("PREPARE again AS " + OWN);
    assertThat(wanda.value("EXECUTE again")).isEqualTo(1L);
    assertThat(wanda.value("EXECUTE again")).isEqualTo(1L);
    try (PreparedStatement prepared = wanda.sql().prepare(OWN)) {
      for (int i = 0; i < 3; i++) {
        try (FlightStream rows = wanda.stream(prepared.execute())) {
          assertThat(TestingClient.rows(rows)).isEqualTo(List.of(List.of(1L)));
        }
      }
    }
  }

  /** What a user saw must not be there for the next one, whoever has the connection then. */
  @Test
  void nothingOfItStays() throws Exception {
    root.rows("SELECT * FROM server.query_log");
    assertThat(ria.rows("SELECT DISTINCT \"user\" FROM server.query_log"))
        .isSubsetOf(List.of(List.of("ria")));
    assertFails(
        Status.Code.NOT_FOUND,
        () -> ria.rows("SELECT * FROM temp.main.__ducklake_flight_query_log"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CREATE VIEW v AS SELECT * FROM server.queries",
        "CREATE TEMP VIEW v AS SELECT * FROM server.queries",
        "CREATE MACRO m() AS TABLE SELECT * FROM server.queries",
        "INSERT INTO server.queries SELECT * FROM server.queries",
        "DELETE FROM server.query_log",
        "DROP VIEW server.main.queries",
        "CREATE TABLE server.main.other (i INTEGER)",
        "CREATE SCHEMA server",
        "CREATE SCHEMA lake.server",
        "USE server",
        "DETACH server",
        "SELECT * FROM server.queries AT (VERSION => 1)",
        "COMMENT ON VIEW server.queries IS 'x'",
      })
  void theTablesAreTheServers(String sql) {
    assertFails(Status.Code.PERMISSION_DENIED, () -> root.update(sql)).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "KILL",
        "KILL QUERY",
        "KILL QUERY abc",
        "KILL QUERY 'a' 'b'",
        "KILL TABLE 'a'",
        "KILL 'a'",
      })
  void whatIsEndedIsSaidByItsId(String sql) {
    assertFails(Status.Code.INVALID_ARGUMENT, () -> root.update(sql)).contains("KILL QUERY '");
  }

  @Test
  void anUnknownTableIsSaidToBeSo() {
    assertFails(Status.Code.NOT_FOUND, () -> root.rows("SELECT * FROM server.others"))
        .contains("queries, sessions, query_log");
  }

  /** As DBeaver asks. */
  @Test
  void aDriverListsThem() throws Exception {
    var properties = new Properties();
    properties.put("user", "ria");
    properties.put("password", TestingUsers.PASSWORD);
    properties.put("useEncryption", "false");
    String url = "jdbc:arrow-flight-sql://127.0.0.1:%d".formatted(server.port());
    try (Connection connection = DriverManager.getConnection(url, properties)) {
      var names = new ArrayList<String>();
      try (var tables = connection.getMetaData().getTables("server", null, "%", null)) {
        while (tables.next()) {
          names.add(tables.getString("TABLE_NAME") + " " + tables.getString("TABLE_TYPE"));
        }
      }
      assertThat(names).containsExactly("queries VIEW", "query_log VIEW", "sessions VIEW");
      var columns = new ArrayList<String>();
      try (var found = connection.getMetaData().getColumns("server", "main", "sessions", "%")) {
        while (found.next()) {
          columns.add(found.getString("COLUMN_NAME"));
        }
      }
      assertThat(columns).startsWith("session_id", "user", "role");
      try (var statement = connection.createStatement();
          var rows = statement.executeQuery("SELECT * FROM \"server\".\"main\".\"queries\"")) {
        assertThat(rows.next()).isTrue();
      }
    }
  }
}
