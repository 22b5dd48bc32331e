package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingUsers;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.arrow.flight.CancelFlightInfoRequest;
import org.apache.arrow.flight.CancelStatus;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.SessionOptionValue;
import org.apache.arrow.flight.SessionOptionValueFactory;
import org.apache.arrow.flight.SetSessionOptionsRequest;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Results in parts: together they are the whole, of one snapshot, or there is an error. */
class PartitionsIT {
  private static final int PARTS = 4;
  private static final int RANDOM_QUERIES = 60;
  private static TestingLakeServer server;
  private TestingClient client;
  private TestingClient other;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestingLakeServer.start(
            Map.of(
                "flight_users",
                "[%s, %s, %s]"
                    .formatted(
                        TestingUsers.user("root", "admin"),
                        TestingUsers.user("wanda", "writer"),
                        TestingUsers.user("nora", "reader", "{\"main.open\": \"select\"}"))));
    try (TestingClient root = server.connect("root")) {
      fill(root, "t");
      root.update("CREATE SCHEMA \"S x\"");
      root.update(
          "CREATE TABLE \"S x\".\"T'\"\"q ü\" (\"the \"\"Key\"\"\" BIGINT, \"select\" VARCHAR)");
      for (int file = 0; file < 5; file++) {
        root.update(
            "INSERT INTO \"S x\".\"T'\"\"q ü\" SELECT i, 'ü' || i FROM range(%d, %d) r(i)"
                .formatted(100 * file, 100 * file + 100));
      }
      root.update("CREATE TABLE single AS SELECT i FROM range(1000) r(i)");
      root.update("CREATE TABLE none (i BIGINT)");
      root.update("CREATE TABLE named (filename VARCHAR, i BIGINT)");
      root.update("INSERT INTO named SELECT 'a', i FROM range(100) r(i)");
      root.update("INSERT INTO named SELECT 'b', i FROM range(100) r(i)");
      // The name of a column of the table, which could be one of a field.
      root.update("CREATE TABLE trap (main STRUCT(trap STRUCT(i BIGINT)), i BIGINT)");
      root.update("INSERT INTO trap SELECT {'trap': {'i': -1}}, i FROM range(50) r(i)");
      root.update("INSERT INTO trap SELECT {'trap': {'i': -2}}, i FROM range(50) r(i)");
      root.update("CREATE VIEW v AS FROM t");
      root.update("CREATE MACRO total(a) AS sum(a)");
      root.update("CREATE MACRO twice(a) AS 2 * a");
    }
  }

  /** Many files, of several versions of the table, with deleted rows, and rows in the catalog. */
  private static void fill(TestingClient client, String table) throws Exception {
    client.update(
        "CREATE OR REPLACE TABLE %s (i BIGINT, v VARCHAR, n DECIMAL(18, 3), d DATE, b BOOLEAN, l BIGINT[], s STRUCT(a BIGINT, b VARCHAR))"
            .formatted(table));
    String insert =
        "INSERT INTO %s SELECT i, CASE WHEN i %% 11 > 0 THEN 'v' || i END, i / 7, DATE '2020-01-01' + i::INTEGER, i %% 2 = 0, [i, i + 1], {'a': i, 'b': 'x' || i}";
    for (int file = 0; file < 5; file++) {
      client.update(
          (insert + " FROM range(%d, %d) r(i)").formatted(table, 500 * file, 500 * file + 500));
    }
    client.update("DELETE FROM %s WHERE i %% 7 = 0".formatted(table));
    client.update("ALTER TABLE %s ADD COLUMN more INTEGER DEFAULT 5".formatted(table));
    client.update((insert + ", i %% 9 FROM range(2500, 3000) r(i)").formatted(table));
    client.update("ALTER TABLE %s RENAME COLUMN v TO w".formatted(table));
    client.update((insert + ", i %% 9 FROM range(3000, 3500) r(i)").formatted(table));
    client.update("DELETE FROM %s WHERE i BETWEEN 2700 AND 2800".formatted(table));
    client.update((insert + ", 1 FROM range(3500, 3503) r(i)").formatted(table));
    client.update((insert + ", 2 FROM range(3503, 3505) r(i)").formatted(table));
    client.update("DELETE FROM %s WHERE i = 3501".formatted(table));
    assertThat(
            client.value(
                "SELECT count(*) FROM %s WHERE filename LIKE 'ducklake_inlined%%'"
                    .formatted(table)))
        .isEqualTo(4L);
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void connect() {
    client = server.connect("root");
    other = server.connect("root");
    divide(client, PARTS);
  }

  @AfterEach
  void disconnect() throws Exception {
    other.close();
    client.close();
    await().until(() -> server.server().openConnections() == 0);
  }

  private static void divide(TestingClient client, long parts) {
    assertThat(set(client, SessionOptionValueFactory.makeSessionOptionValue(parts))).isTrue();
  }

  private static boolean set(TestingClient client, SessionOptionValue value) {
    return client
        .flight()
        .setSessionOptions(new SetSessionOptionsRequest(Map.of("partitions", value)))
        .getErrors()
        .isEmpty();
  }

  private static List<Ticket> tickets(TestingClient client, String query) {
    return client.info(query).getEndpoints().stream().map(one -> one.getTicket()).toList();
  }

  private static List<List<Object>> fetch(TestingClient client, Ticket ticket) throws Exception {
    try (FlightStream stream = client.flight().getStream(ticket)) {
      return TestingClient.rows(stream);
    }
  }

  private List<List<Object>> union(List<Ticket> tickets) throws Exception {
    var rows = new ArrayList<List<Object>>();
    for (int i = 0; i < tickets.size(); i++) {
      rows.addAll(fetch(i % 2 == 0 ? client : other, tickets.get(i)));
    }
    return rows;
  }

  private static List<String> sorted(List<List<Object>> rows) {
    return rows.stream().map(String::valueOf).sorted().toList();
  }

  private void assertDivided(String query) throws Exception {
    List<Ticket> tickets = tickets(client, query);
    assertThat(tickets).as(query).hasSize(PARTS);
    assertThat(sorted(union(tickets))).as(query).isEqualTo(sorted(other.rows(query)));
  }

  private void assertWhole(String query) throws Exception {
    List<Ticket> tickets = tickets(client, query);
    assertThat(tickets).as(query).hasSize(1);
    assertThat(sorted(fetch(client, tickets.getFirst())))
        .as(query)
        .isEqualTo(sorted(other.rows(query)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT * FROM t",
        "FROM t",
        "from T;",
        "SELECT i FROM t WHERE i BETWEEN 100 AND 3501 AND b",
        "SELECT x.i, x.w || '!' AS y FROM t AS x WHERE x.i % 3 = 0",
        "SELECT t.i, t.s.a, s.b, l[1], * EXCLUDE (i) FROM t",
        "SELECT COLUMNS('^[in]$'), more + 1 FROM main.t WHERE w IS NULL",
        "SELECT t FROM lake.main.t WHERE d >= DATE '2022-01-01'",
        "SELECT * REPLACE (n * 2 AS n) FROM \"t\" \"q\" WHERE \"q\".n < 100.5",
        "SELECT a, b FROM t q(a, b) WHERE a > 10",
        "FROM x : t SELECT x.i",
        "SELECT i FROM t WHERE w LIKE 'v1%' OR w SIMILAR TO '.*9'",
        "SELECT unnest(l) AS e, i FROM t",
        "SELECT list_transform(l, lambda x: x + i) FROM t",
        "SELECT CASE WHEN b THEN i ELSE -i END::VARCHAR, try_cast(w AS INTEGER), 'é--;' FROM/*é*/t -- end",
        "SELECT i FROM t WHERE 'ü$$''' <> w AND i IN (1, 2, 3502)",
        "SELECT i AS j, j + 1 FROM t WHERE j < 600",
        "SELECT 1 FROM t",
        "SELECT i, i FROM t",
        "SELECT i FROM t WHERE false",
        "SELECT i FROM t WHERE i = 3502",
        "SELECT * FROM \"S x\".\"T'\"\"q ü\" WHERE \"the \"\"Key\"\"\" > 5",
        "SELECT \"T'\"\"q ü\".\"select\" FROM lake.\"s X\".\"t'\"\"Q ü\"",
      })
  void partsAreTheWhole(String query) throws Exception {
    assertDivided(query);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT count(*) FROM t",
        "SELECT sum(i) FROM t WHERE b",
        "SELECT sum(i) FROM t WHERE false",
        "SELECT max(i) FILTER (b) FROM t",
        "SELECT total(i) FROM t",
        "SELECT twice(i) FROM t",
        "SELECT DISTINCT b FROM t",
        "SELECT b FROM t GROUP BY b",
        "SELECT b, count(*) FROM t GROUP BY ALL HAVING count(*) > 1",
        "SELECT i FROM t ORDER BY i",
        "SELECT i FROM t WHERE i < 2 LIMIT 10",
        "SELECT i FROM t WHERE i < 2 LIMIT 100%",
        "SELECT i FROM t WHERE i = 1 OFFSET 0",
        "SELECT row_number() OVER () FROM t",
        "SELECT i FROM t QUALIFY row_number() OVER (PARTITION BY i) = 1",
        "SELECT i, (SELECT max(i) FROM single) FROM t",
        "SELECT i FROM t WHERE i IN (SELECT i FROM single)",
        "SELECT i FROM t WHERE EXISTS (FROM single)",
        "SELECT t.i FROM t, single WHERE t.i = single.i",
        "SELECT i FROM t JOIN single USING (i)",
        "WITH c AS (FROM t) SELECT i FROM c",
        "SELECT i FROM (FROM t)",
        "SELECT i FROM t UNION ALL SELECT i FROM single",
        "SELECT i FROM t AT (VERSION => 8)",
        "SELECT i FROM v",
        "SELECT i FROM lake.t",
        "(SELECT i FROM t)",
        "TABLE t",
        "SELECT i FROM range(10) r(i)",
        "VALUES (1), (2)",
        "SELECT 1",
        "SELECT i FROM single",
        "SELECT i FROM none",
        "SELECT i, filename FROM named",
        "SELECT i FROM named",
        "SELECT rowid, i FROM t",
        "SELECT i FROM t WHERE filename LIKE '%a%'",
        "SELECT w AS filename FROM t WHERE filename = 'v1'",
        "SELECT w AS snapshot_id FROM t WHERE snapshot_id::VARCHAR = '3'",
        "SELECT main.t.i FROM main.t",
        "SELECT main.trap.i FROM main.trap",
        "SELECT lake.main.trap.i FROM trap",
        "SELECT CASE WHEN b THEN 'x' ELSE 'y' END::ENUM('x', 'y') AS e FROM t",
        "SELECT [CASE WHEN b THEN 'x' END::ENUM('x', 'y')] AS e FROM t",
        "SHOW TABLES",
        "DESCRIBE t",
      })
  void othersComeAsBefore(String query) throws Exception {
    assertWhole(query);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT random() < 2 FROM t",
        "SELECT i, now() > TIMESTAMPTZ '2000-01-01' FROM t",
        "SELECT i FROM t WHERE current_date > DATE '2000-01-01'",
        "SELECT i FROM t USING SAMPLE 100%",
        "SELECT i FROM t TABLESAMPLE 100%",
      })
  void whatMayVaryComesAsBefore(String query) throws Exception {
    assertWhole(query);
  }

  @Test
  void changesAreDoneOnce() throws Exception {
    client.update("CREATE TABLE changed (i BIGINT)");
    for (String change :
        List.of("INSERT INTO changed SELECT i FROM t WHERE i < 5", "DELETE FROM changed")) {
      assertThat(fetch(client, tickets(client, change).getFirst())).isEqualTo(List.of(List.of(4L)));
    }
    client.update("DROP TABLE changed");
  }

  @Test
  void errorsAreThoseOfTheStatement() {
    assertFails(Status.Code.NOT_FOUND, () -> client.rows("SELECT i FROM nowhere"));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.rows("SELECT nothing FROM t"));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.rows("SELECT i FROM t WHERE"));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.rows("SELECT w::INTEGER FROM t"));
  }

  @Test
  void anyQueryIsTheSameInParts() throws Exception {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    for (int i = 0; i < RANDOM_QUERIES; i++) {
      String query = randomQuery(random);
      try {
        assertDivided(query);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed %d: %s".formatted(seed, query), e);
      }
    }
  }

  private static String randomQuery(Random random) {
    String columns =
        pick(
            random,
            "*",
            "i",
            "i, w",
            "n, d, more",
            "s.a + 1 AS x, b",
            "t.*, i AS k",
            "l, s, i % 5");
    String conditions =
        IntStream.range(0, random.nextInt(4))
            .mapToObj(_ -> randomCondition(random))
            .collect(Collectors.joining(random.nextBoolean() ? " AND " : " OR "));
    return "SELECT %s FROM %s%s"
        .formatted(
            columns,
            pick(random, "t", "main.t", "\"t\"", "lake.main.t AS t"),
            conditions.isEmpty() ? "" : " WHERE " + conditions);
  }

  private static String randomCondition(Random random) {
    int number = random.nextInt(3600);
    return pick(
            random,
            "i < %d",
            "i >= %d",
            "i %% 10 = %d %% 10",
            "n BETWEEN %d / 10 AND %d / 5",
            "w LIKE '%%%d'",
            "w IS NULL",
            "NOT (w > 'v%d')",
            "d <= DATE '2020-01-01' + %d",
            "more = %d %% 9",
            "more IS NULL",
            "b",
            "s.a <> %d",
            "list_contains(l, %d)",
            "(i > %d) IS NOT TRUE")
        .replace("%d", Integer.toString(number))
        .replace("%%", "%");
  }

  private static String pick(Random random, String... choices) {
    return choices[random.nextInt(choices.length)];
  }

  @Test
  void partsAreOfFilesOfTheirOwn() throws Exception {
    List<Ticket> tickets = tickets(client, "SELECT i // 500 AS file FROM t WHERE i < 3500");
    var seen = new ArrayList<Object>();
    for (Ticket ticket : tickets) {
      List<Object> files = fetch(client, ticket).stream().flatMap(List::stream).distinct().toList();
      assertThat(files).isNotEmpty().hasSizeLessThanOrEqualTo(3);
      seen.addAll(files);
    }
    assertThat(seen).hasSize(7).doesNotHaveDuplicates();
  }

  @Test
  void thereAreNotMorePartsThanFiles() throws Exception {
    divide(client, 64);
    List<Ticket> tickets = tickets(client, "FROM t");
    assertThat(tickets).hasSize(7);
    assertThat(sorted(union(tickets))).isEqualTo(sorted(other.rows("FROM t")));
  }

  @Test
  void aPartIsFetchedAsOftenAsWanted() throws Exception {
    List<Ticket> tickets = tickets(client, "SELECT i FROM t");
    for (Ticket ticket : tickets) {
      List<String> first = sorted(fetch(client, ticket));
      assertThat(sorted(fetch(client, ticket))).isEqualTo(first);
      assertThat(sorted(fetch(other, ticket))).isEqualTo(first);
    }
  }

  @Test
  void theSchemaIsThatOfTheWhole() throws Exception {
    for (String query :
        List.of(
            "SELECT *, w::JSON AS j, row(i, w) AS r, NULL AS z FROM t WHERE b IS NULL", "FROM t")) {
      var whole = other.info(query);
      var divided = client.info(query);
      assertThat(divided.getEndpoints()).hasSize(PARTS);
      assertThat(divided.getSchemaOptional()).isEqualTo(whole.getSchemaOptional());
      for (var endpoint : divided.getEndpoints()) {
        try (FlightStream stream = client.flight().getStream(endpoint.getTicket())) {
          assertThat(stream.getSchema()).isEqualTo(whole.getSchemaOptional().orElseThrow());
        }
      }
      fetch(other, whole.getEndpoints().getFirst().getTicket());
    }
  }

  @Test
  void commitsInBetweenAreNotSeen() throws Exception {
    client.update("CREATE OR REPLACE TABLE moving (i BIGINT, v VARCHAR)");
    for (int file = 0; file < 6; file++) {
      client.update(
          "INSERT INTO moving SELECT i, 'x' FROM range(%d, %d) r(i)"
              .formatted(100 * file, 100 * file + 100));
    }
    client.update("INSERT INTO moving VALUES (-1, 'inlined')");
    client.update("DELETE FROM moving WHERE i % 5 = 0");
    List<String> before = sorted(other.rows("FROM moving"));
    List<Ticket> tickets = tickets(client, "FROM moving");
    List<List<Object>> rows = new ArrayList<>(fetch(client, tickets.get(0)));
    other.update("INSERT INTO moving SELECT i, 'new' FROM range(600, 800) r(i)");
    other.update("INSERT INTO moving VALUES (-2, 'inlined')");
    rows.addAll(fetch(client, tickets.get(1)));
    other.update("DELETE FROM moving WHERE i % 2 = 0");
    other.update("UPDATE moving SET v = 'y' WHERE i < 300");
    rows.addAll(fetch(client, tickets.get(2)));
    other.update("ALTER TABLE moving ADD COLUMN z INTEGER");
    other.update("ALTER TABLE moving RENAME COLUMN v TO w");
    rows.addAll(fetch(client, tickets.get(3)));
    assertThat(sorted(rows)).isEqualTo(before);
    other.update("DROP TABLE moving");
    assertThat(sorted(union(tickets))).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CALL ducklake_merge_adjacent_files('lake')",
        "CALL ducklake_flush_inlined_data('lake')",
        "CALL ducklake_rewrite_data_files('lake', delete_threshold => 0.01)",
        "CALL ducklake_expire_snapshots('lake', older_than => now() + INTERVAL 1 DAY)",
      })
  void maintenanceInBetweenIsToldOrNotSeen(String call) throws Exception {
    fill(client, "kept");
    client.update("CREATE OR REPLACE TABLE plain (i BIGINT)");
    for (int file = 0; file < 6; file++) {
      client.update("INSERT INTO plain SELECT i FROM range(%d, 900) r(i)".formatted(100 * file));
    }
    List<String> tables = List.of("kept", "plain");
    var wholes = new ArrayList<List<String>>();
    var tickets = new ArrayList<List<Ticket>>();
    var rows = new ArrayList<List<List<Object>>>();
    for (String table : tables) {
      wholes.add(sorted(other.rows("FROM " + table)));
      tickets.add(tickets(client, "FROM " + table));
      assertThat(tickets.getLast()).hasSize(PARTS);
      rows.add(new ArrayList<>(fetch(client, tickets.getLast().getFirst())));
    }
    // The newest snapshot is always kept.
    other.update("INSERT INTO none VALUES (1)");
    List<List<Object>> files = files();
    other.update(call);
    boolean isChanged = !files().equals(files);
    boolean isTold = false;
    for (int table = 0; table < tables.size(); table++) {
      int told = 0;
      for (Ticket ticket : tickets.get(table).subList(1, PARTS)) {
        try {
          rows.get(table).addAll(fetch(client, ticket));
        } catch (RuntimeException e) {
          assertThat(e).hasMessageContaining("run the query again");
          assertFails(Status.Code.ABORTED, () -> raw(client, ticket));
          told++;
        }
      }
      if (told == 0) {
        assertThat(sorted(rows.get(table))).isEqualTo(wholes.get(table));
      }
      isTold |= told > 0;
      String again = "FROM " + tables.get(table);
      assertThat(sorted(union(tickets(client, again)))).isEqualTo(wholes.get(table));
    }
    assertThat(isChanged || isTold).isTrue();
    other.update("DROP TABLE kept");
    other.update("DROP TABLE plain");
    other.update("DELETE FROM none");
  }

  private List<List<Object>> files() throws Exception {
    return other.rows(
        "SELECT DISTINCT filename FROM kept UNION SELECT DISTINCT filename FROM plain ORDER BY 1");
  }

  private static void raw(TestingClient client, Ticket ticket) {
    var stream =
        client
            .raw()
            .doGet(
                Flight.Ticket.newBuilder()
                    .setTicket(ByteString.copyFrom(ticket.getBytes()))
                    .build());
    stream.forEachRemaining(_ -> {});
  }

  @Test
  void whatComesToStandBeforeANameIsNotMeant() throws Exception {
    List<Ticket> tickets = tickets(client, "SELECT upper(w) FROM t");
    assertThat(tickets).hasSize(PARTS);
    other.update("CREATE MACRO upper(a) AS 'no'");
    try {
      assertFails(Status.Code.ABORTED, () -> raw(client, tickets.getFirst()));
    } finally {
      other.update("DROP MACRO upper");
    }
    assertThat(fetch(client, tickets.getFirst())).isNotEmpty();
    fill(other, "early");
    List<Ticket> early = tickets(client, "FROM early");
    other.update("ALTER TABLE early RENAME TO late");
    other.update("CREATE VIEW early AS FROM none");
    assertFails(Status.Code.ABORTED, () -> raw(client, early.getFirst()));
    other.update("DROP VIEW early");
    other.update("DROP TABLE late");
  }

  @Test
  void preparedStatementsToo() throws Exception {
    try (PreparedStatement prepared = client.sql().prepare("SELECT i, w FROM t WHERE i < 3000")) {
      List<Ticket> tickets =
          prepared.execute().getEndpoints().stream().map(one -> one.getTicket()).toList();
      assertThat(tickets).hasSize(PARTS);
      assertThat(sorted(union(tickets)))
          .isEqualTo(sorted(other.rows("SELECT i, w FROM t WHERE i < 3000")));
    }
    try (PreparedStatement prepared = client.sql().prepare("SELECT i FROM t WHERE i = ?::BIGINT");
        var number = new BigIntVector("1", client.allocator());
        var root = new VectorSchemaRoot(List.of(number))) {
      number.setSafe(0, 3);
      root.setRowCount(1);
      prepared.setParameters(root);
      var info = prepared.execute();
      assertThat(info.getEndpoints()).hasSize(1);
      assertThat(fetch(client, info.getEndpoints().getFirst().getTicket()))
          .isEqualTo(List.of(List.of(3L)));
    }
  }

  @Test
  void aSessionThatHoldsSomethingSeesItsOwn() throws Exception {
    client.update("CREATE TEMP TABLE t AS SELECT 1 AS i");
    assertThat(fetch(client, tickets(client, "FROM t").getFirst())).isEqualTo(List.of(List.of(1)));
    client.update("DROP TABLE temp.main.t");
    try (TestingClient another = server.connect("root")) {
      divide(another, PARTS);
      List<Ticket> tickets = tickets(another, "FROM t");
      assertThat(tickets).hasSize(PARTS);
      another.update("BEGIN");
      another.update("DELETE FROM t");
      assertThat(fetch(another, tickets(another, "SELECT count(*) FROM t").getFirst()))
          .isEqualTo(List.of(List.of(0L)));
      List<Ticket> inTransaction = tickets(another, "FROM t");
      assertThat(inTransaction).hasSize(1);
      assertThat(fetch(another, inTransaction.getFirst())).isEmpty();
      assertFails(Status.Code.INVALID_ARGUMENT, () -> raw(another, tickets.getFirst()));
      another.update("ROLLBACK");
      assertThat(fetch(another, tickets.getFirst())).isNotEmpty();
    }
  }

  @Test
  void namesAreLookedUpWhereTheyWere() throws Exception {
    client.update("USE lake.\"S x\"");
    List<Ticket> tickets = tickets(client, "SELECT \"select\" FROM \"T'\"\"q ü\"");
    assertThat(tickets).hasSize(PARTS);
    client.update("USE lake.main");
    assertThat(union(tickets)).hasSize(500);
  }

  @Test
  void pollingGivesThemToo() {
    Flight.PollInfo polled =
        client
            .raw()
            .pollFlightInfo(
                Flight.FlightDescriptor.newBuilder()
                    .setType(Flight.FlightDescriptor.DescriptorType.CMD)
                    .setCmd(
                        Any.pack(
                                FlightSql.CommandStatementQuery.newBuilder()
                                    .setQuery("FROM t")
                                    .build())
                            .toByteString())
                    .build());
    assertThat(polled.getInfo().getEndpointCount()).isEqualTo(PARTS);
    assertThat(polled.getInfo().getOrdered()).isFalse();
    assertThat(polled.getInfo().getTotalRecords()).isEqualTo(-1);
  }

  @Test
  void theOptionHasItsBounds() throws Exception {
    for (long wrong : new long[] {0, -1, 65, Long.MAX_VALUE}) {
      assertThat(set(client, SessionOptionValueFactory.makeSessionOptionValue(wrong))).isFalse();
    }
    for (String wrong : List.of("0", "65", "many", "", "4.0", "99999999999999999999")) {
      assertThat(set(client, SessionOptionValueFactory.makeSessionOptionValue(wrong))).isFalse();
    }
    assertThat(set(client, SessionOptionValueFactory.makeSessionOptionValue(true))).isFalse();
    assertThat(tickets(client, "FROM t")).hasSize(PARTS);
    assertThat(set(client, SessionOptionValueFactory.makeSessionOptionValue("2"))).isTrue();
    assertThat(tickets(client, "FROM t")).hasSize(2);
    assertThat(set(client, SessionOptionValueFactory.makeEmptySessionOptionValue())).isTrue();
    assertWhole("FROM t");
    assertThat(tickets(other, "SELECT i FROM t")).hasSize(1);
  }

  @Test
  void rightsAreLookedAtEachTime() throws Exception {
    client.update("CREATE OR REPLACE TABLE open AS SELECT i FROM range(100) r(i)");
    client.update("INSERT INTO open SELECT i FROM range(100, 200) r(i)");
    try (TestingClient nora = server.connect("nora")) {
      divide(nora, 2);
      assertFails(Status.Code.PERMISSION_DENIED, () -> tickets(nora, "FROM t"));
      List<Ticket> own = tickets(nora, "FROM open");
      assertThat(own).hasSize(2);
      assertThat(fetch(nora, own.get(0)).size() + fetch(nora, own.get(1)).size()).isEqualTo(200);
      // Tickets are their user's, whatever another may do.
      assertFails(Status.Code.NOT_FOUND, () -> raw(client, own.getFirst()));
      for (String query : List.of("FROM t", "FROM open")) {
        Ticket others = tickets(client, query).getFirst();
        assertFails(Status.Code.NOT_FOUND, () -> raw(nora, others));
      }
    }
  }

  @Test
  void anAlteredTicketIsRefused() throws Exception {
    byte[] ticket = tickets(client, "SELECT i FROM t").getFirst().getBytes();
    String text = new String(ticket, StandardCharsets.ISO_8859_1);
    assertThat(text).doesNotContain(".parquet").doesNotContain(server.directory().toString());
    int from = text.indexOf("\u0001k");
    for (int at = from; at < ticket.length; at += 1 + at % 7) {
      byte[] altered = ticket.clone();
      altered[at] ^= 1;
      Status.Code code =
          catchThrowableOfType(StatusRuntimeException.class, () -> raw(client, new Ticket(altered)))
              .getStatus()
              .getCode();
      assertThat(code).as("byte " + at).isEqualTo(Status.Code.NOT_FOUND);
    }
  }

  @Test
  void cancellingWhatWasNotBegunIsNoError() throws Exception {
    var info = client.info("FROM t");
    assertThat(info.getEndpoints()).hasSize(PARTS);
    var result = client.flight().cancelFlightInfo(new CancelFlightInfoRequest(info));
    assertThat(result.getStatus()).isEqualTo(CancelStatus.NOT_CANCELLABLE);
    assertThat(fetch(client, info.getEndpoints().getFirst().getTicket())).isNotEmpty();
  }
}
