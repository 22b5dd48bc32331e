package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.nio.channels.Channels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.SchemaResult;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.flight.sql.FlightSqlClient.Transaction;
import org.apache.arrow.flight.sql.FlightSqlProducer.Schemas;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.flight.sql.impl.FlightSql.UpdateDeleteRules;
import org.apache.arrow.flight.sql.util.TableRef;
import org.apache.arrow.vector.ipc.ReadChannel;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MetadataIT {
  private static final String SQL = "ARROW:FLIGHT:SQL:";
  private static final int MANY = 1_000;

  private static TestingLakeServer server;
  private static TestingClient client;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start();
    client = server.connect();
    client.update("CREATE SCHEMA sales");
    client.update(
        "CREATE TABLE sales.orders (id BIGINT NOT NULL, price DECIMAL(10, 2), tags VARCHAR[],"
            + " note VARCHAR DEFAULT 'none')");
    client.update("COMMENT ON TABLE sales.orders IS 'what was sold'");
    client.update("CREATE SCHEMA empty");
    client.update("CREATE TABLE \"100%\" (i INT)");
    client.update("CREATE TABLE \"100 and more\" (i INT)");
    client.update("CREATE TABLE \"back\\slash\" (i INT)");
    client.update("COMMENT ON COLUMN sales.orders.price IS 'net'");
    client.update("CREATE TABLE plain_table (i INT)");
    client.update("CREATE TABLE plainXtable (i INT)");
    client.update("CREATE VIEW looking AS SELECT id FROM sales.orders");
    client.update("COMMENT ON VIEW looking IS 'some of it'");
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    await().until(() -> server.server().bufferBytes() == 0);
    server.close();
  }

  @Test
  void everyAnswerHasItsCanonicalSchema() throws Exception {
    var sql = client.sql();
    TableRef orders = TableRef.of("lake", "sales", "orders");
    assertAnswer(sql.getCatalogs(), sql.getCatalogsSchema(), Schemas.GET_CATALOGS_SCHEMA);
    assertAnswer(sql.getSchemas(null, null), sql.getSchemasSchema(), Schemas.GET_SCHEMAS_SCHEMA);
    assertAnswer(
        sql.getTables(null, null, null, null, false),
        sql.getTablesSchema(false),
        Schemas.GET_TABLES_SCHEMA_NO_SCHEMA);
    assertAnswer(
        sql.getTables(null, null, null, null, true),
        sql.getTablesSchema(true),
        Schemas.GET_TABLES_SCHEMA);
    assertAnswer(sql.getTableTypes(), sql.getTableTypesSchema(), Schemas.GET_TABLE_TYPES_SCHEMA);
    assertAnswer(sql.getSqlInfo(), sql.getSqlInfoSchema(), Schemas.GET_SQL_INFO_SCHEMA);
    assertAnswer(sql.getXdbcTypeInfo(), sql.getXdbcTypeInfoSchema(), Schemas.GET_TYPE_INFO_SCHEMA);
    assertAnswer(
        sql.getPrimaryKeys(orders), sql.getPrimaryKeysSchema(), Schemas.GET_PRIMARY_KEYS_SCHEMA);
    assertAnswer(
        sql.getExportedKeys(orders), sql.getExportedKeysSchema(), Schemas.GET_EXPORTED_KEYS_SCHEMA);
    assertAnswer(
        sql.getImportedKeys(orders), sql.getImportedKeysSchema(), Schemas.GET_IMPORTED_KEYS_SCHEMA);
    assertAnswer(
        sql.getCrossReference(orders, orders),
        sql.getCrossReferenceSchema(),
        Schemas.GET_CROSS_REFERENCE_SCHEMA);
  }

  @Test
  void catalogsAndSchemas() throws Exception {
    assertThat(rows(client.sql().getCatalogs())).contains(List.of("lake"));
    assertThat(rows(client.sql().getSchemas(null, null)))
        .containsSubsequence(
            List.of("lake", "empty"), List.of("lake", "main"), List.of("lake", "sales"));
    assertThat(rows(client.sql().getSchemas("lake", "s%")))
        .containsExactly(List.of("lake", "sales"));
    assertThat(rows(client.sql().getSchemas("%", null))).contains(List.of("lake", "main"));
    assertThat(rows(client.sql().getSchemas("other", null))).isEmpty();
  }

  @Test
  void whatIsTemporaryIsInACatalogOfItsOwn() throws Exception {
    try (TestingClient other = server.connect()) {
      assertThat(rows(other, other.sql().getCatalogs()))
          .containsExactly(List.of("lake"), List.of("server"));
      other.update("CREATE TEMP TABLE for_now (i INT)");
      other.update("CREATE TEMP VIEW looking_now AS SELECT 1 AS one");
      assertThat(rows(other, other.sql().getCatalogs()))
          .containsExactly(List.of("lake"), List.of("server"), List.of("temp"));
      assertThat(rows(other, other.sql().getSchemas("temp", null)))
          .containsExactly(List.of("temp", "main"));
      assertThat(rows(other, other.sql().getTables("temp", null, null, null, false)))
          .containsExactly(
              List.of("temp", "main", "for_now", "LOCAL TEMPORARY"),
              List.of("temp", "main", "looking_now", "VIEW"));
      assertThat(
              rows(
                  other,
                  other.sql().getTables(null, null, null, List.of("LOCAL TEMPORARY"), false)))
          .containsExactly(List.of("temp", "main", "for_now", "LOCAL TEMPORARY"));
      assertThat(tables(null, null, "for_now", null)).isEmpty();
    }
  }

  @Test
  void tablesByPatternAndType() throws Exception {
    assertThat(rows(client.sql().getTables(null, "sales", null, null, false)))
        .containsExactly(List.of("lake", "sales", "orders", "TABLE"));
    assertThat(rows(client.sql().getTables("lake", null, null, List.of("VIEW"), false)))
        .containsExactly(List.of("lake", "main", "looking", "VIEW"));
    assertThat(tables(null, null, null, List.of("SYSTEM TABLE"))).isEmpty();
    assertThat(tables(null, null, "orders", List.of("SYSTEM TABLE", "TABLE")))
        .containsExactly("orders");
    assertThat(tables("lake", "s_les", "ord%", List.of("TABLE"))).containsExactly("orders");
    assertThat(tables("lake", "main", "ord%", List.of("TABLE"))).isEmpty();
  }

  @Test
  void patternsAreThoseOfLike() throws Exception {
    assertThat(tables(null, null, "plain_table", null))
        .containsExactly("plainXtable", "plain_table");
    assertThat(tables(null, null, "plain\\_table", null)).containsExactly("plain_table");
    assertThat(tables(null, null, "100%", null)).containsExactly("100 and more", "100%");
    assertThat(tables(null, null, "100\\%", null)).containsExactly("100%");
    assertThat(tables(null, null, "back\\\\slash", null)).containsExactly("back\\slash");
    assertThat(tables(null, null, "back\\slash", null))
        .as("a name that nobody escaped, as ADBC asks for the schema of a table")
        .containsExactly("back\\slash");
    assertThat(tables(null, null, "plain\\", null)).as("nothing to escape").isEmpty();
  }

  @Test
  void namesMatchWhateverTheirCaseAsInSql() throws Exception {
    assertThat(tables("LAKE", "Sales", "ORDERS", null)).containsExactly("orders");
    assertThat(tables(null, null, "plainx%", null)).containsExactly("plainXtable");
    assertThat(client.rows("SELECT * FROM PLAINxTABLE")).isEmpty();
  }

  @Test
  void anEmptyTextAsksForWhatHasNoneAndIsNotAnAbsentOne() throws Exception {
    assertThat(tables("", null, null, null)).isEmpty();
    assertThat(tables(null, "", null, null)).isEmpty();
    assertThat(tables(null, null, "", null)).isEmpty();
    assertThat(rows(client.sql().getSchemas("", null))).isEmpty();
    assertThat(rows(client.sql().getSchemas(null, ""))).isEmpty();
    assertThat(tables(null, null, "orders", null)).containsExactly("orders");
  }

  @Test
  void answersAreInTheOrderOfTheProtocol() throws Exception {
    List<List<Object>> tables = rows(client.sql().getTables(null, null, null, null, false));
    assertThat(tables)
        .isSortedAccordingTo(
            Comparator.<List<Object>, String>comparing(row -> (String) row.get(0))
                .thenComparing(row -> (String) row.get(1))
                .thenComparing(row -> (String) row.get(2)));
    assertThat(rows(client.sql().getTableTypes()))
        .containsExactly(List.of("LOCAL TEMPORARY"), List.of("TABLE"), List.of("VIEW"));
  }

  @Test
  void tableSchemasAreThoseOfAQuery() throws Exception {
    Schema schema = tableSchema("sales", "orders");
    Schema queried = client.info("SELECT * FROM sales.orders").getSchemaOptional().orElseThrow();
    assertThat(schema.getFields())
        .extracting(Field::getType)
        .isEqualTo(queried.getFields().stream().map(Field::getType).toList());
    assertThat(schema.findField("id").isNullable()).isFalse();
    assertThat(schema.findField("price").isNullable()).isTrue();
    assertThat(schema.findField("price").getType()).isEqualTo(new ArrowType.Decimal(10, 2, 128));
    assertThat(schema.getCustomMetadata()).containsEntry(SQL + "REMARKS", "what was sold");
  }

  @Test
  void fieldsTellWhatArrowTypesDoNot() throws Exception {
    Schema schema = tableSchema("sales", "orders");
    assertThat(schema.findField("price").getMetadata())
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry(SQL + "CATALOG_NAME", "lake"),
                Map.entry(SQL + "SCHEMA_NAME", "sales"),
                Map.entry(SQL + "DB_SCHEMA_NAME", "sales"),
                Map.entry(SQL + "TABLE_NAME", "orders"),
                Map.entry(SQL + "TYPE_NAME", "DECIMAL(10,2)"),
                Map.entry(SQL + "PRECISION", "10"),
                Map.entry(SQL + "SCALE", "2"),
                Map.entry(SQL + "IS_AUTO_INCREMENT", "0"),
                Map.entry(SQL + "IS_CASE_SENSITIVE", "0"),
                Map.entry(SQL + "IS_READ_ONLY", "0"),
                Map.entry(SQL + "IS_SEARCHABLE", "1"),
                Map.entry(SQL + "REMARKS", "net")));
    assertThat(schema.findField("id").getMetadata())
        .containsEntry(SQL + "PRECISION", "19")
        .doesNotContainKeys(SQL + "COLUMN_DEFAULT", SQL + "REMARKS");
    assertThat(schema.findField("note").getMetadata())
        .containsEntry(SQL + "COLUMN_DEFAULT", "'none'")
        .containsEntry(SQL + "IS_CASE_SENSITIVE", "1");
    Schema view = tableSchema("main", "looking");
    assertThat(view.getCustomMetadata()).containsEntry(SQL + "REMARKS", "some of it");
    assertThat(view.findField("id").isNullable()).isTrue();
    assertThat(view.findField("id").getMetadata()).containsEntry(SQL + "IS_READ_ONLY", "1");
  }

  @Test
  void aColumnThatCountsByItself() throws Exception {
    try (TestingClient other = server.connect()) {
      other.update("CREATE TEMP SEQUENCE numbers");
      other.update("CREATE TEMP TABLE numbered (id INT DEFAULT nextval('numbers'), i INT)");
      Schema schema =
          schema(
              rows(other, other.sql().getTables("temp", "main", "numbered", null, true))
                  .getFirst());
      assertThat(schema.findField("id").getMetadata())
          .containsEntry(SQL + "IS_AUTO_INCREMENT", "1");
      assertThat(schema.findField("i").getMetadata()).containsEntry(SQL + "IS_AUTO_INCREMENT", "0");
    }
  }

  @Test
  void preparedColumnsTellTheirTypes() throws Exception {
    try (var prepared = client.sql().prepare("SELECT price, note FROM sales.orders")) {
      assertThat(prepared.getResultSetSchema().findField("price").getMetadata())
          .containsEntry(SQL + "TYPE_NAME", "DECIMAL(10,2)")
          .containsEntry(SQL + "SCALE", "2")
          .doesNotContainKey(SQL + "REMARKS");
      assertThat(prepared.getResultSetSchema().findField("note").getMetadata())
          .containsEntry(SQL + "IS_CASE_SENSITIVE", "1");
    }
    // The schema of a query is that of its FlightInfo and of its batches.
    Schema queried = client.sql().getExecuteSchema("SELECT price FROM sales.orders").getSchema();
    assertThat(queried)
        .isEqualTo(client.info("SELECT price FROM sales.orders").getSchemaOptional().orElseThrow());
  }

  @Test
  void aViewThatIsBrokenHidesNoOtherTable() throws Exception {
    client.update("CREATE TABLE gone (i INT)");
    client.update("CREATE VIEW broken AS SELECT i FROM gone");
    client.update("DROP TABLE gone");
    assertThat(rows(client.sql().getTables(null, null, null, null, true)))
        .extracting(row -> row.get(2))
        .contains("orders", "broken", "looking");
    client.update("DROP VIEW broken");
  }

  @Test
  void keysOfTemporaryTables() throws Exception {
    try (TestingClient other = server.connect()) {
      other.update("CREATE TEMP TABLE parent (a INT, b INT, c INT UNIQUE, PRIMARY KEY (b, a))");
      other.update(
          "CREATE TEMP TABLE child (x INT, y INT, z INT REFERENCES parent (c),"
              + " FOREIGN KEY (x, y) REFERENCES parent (b, a))");
      var sql = other.sql();
      TableRef parent = TableRef.of("temp", "main", "PARENT");
      TableRef child = TableRef.of(null, null, "child");
      assertThat(rows(other, sql.getPrimaryKeys(parent)))
          .containsExactly(
              List.of("temp", "main", "parent", "b", 1, "parent_b_a_pkey"),
              List.of("temp", "main", "parent", "a", 2, "parent_b_a_pkey"));
      List<Object> first = foreignKey("b", "x", 1, "child_x_y_b_a_fkey", "parent_b_a_pkey");
      List<Object> second = foreignKey("a", "y", 2, "child_x_y_b_a_fkey", "parent_b_a_pkey");
      List<Object> third = foreignKey("c", "z", 1, "child_z_c_fkey", "parent_c_key");
      assertThat(rows(other, sql.getImportedKeys(child))).containsExactly(first, second, third);
      assertThat(rows(other, sql.getExportedKeys(parent))).containsExactly(first, second, third);
      assertThat(rows(other, sql.getCrossReference(parent, child)))
          .containsExactly(first, second, third);
      assertThat(rows(other, sql.getCrossReference(child, parent))).isEmpty();
      assertThat(rows(other, sql.getExportedKeys(child))).isEmpty();
      assertThat(rows(other, sql.getImportedKeys(TableRef.of("lake", null, "child")))).isEmpty();
      assertThat(rows(other, sql.getPrimaryKeys(TableRef.of("", null, "parent")))).isEmpty();
    }
  }

  @Test
  void tablesWithoutKeysAndTablesThatAreNotThere() throws Exception {
    for (TableRef table :
        List.of(TableRef.of("lake", "sales", "orders"), TableRef.of(null, null, "not_there"))) {
      assertThat(rows(client.sql().getPrimaryKeys(table))).isEmpty();
      assertThat(rows(client.sql().getExportedKeys(table))).isEmpty();
      assertThat(rows(client.sql().getImportedKeys(table))).isEmpty();
      assertThat(rows(client.sql().getCrossReference(table, table))).isEmpty();
    }
  }

  @Test
  void keysOfNoTable() throws Exception {
    TableRef none = TableRef.of("lake", "main", "");
    TableRef orders = TableRef.of("lake", "sales", "orders");
    var sql = client.sql();
    assertFails(Status.Code.INVALID_ARGUMENT, () -> sql.getPrimaryKeys(none)).contains("table");
    assertFails(Status.Code.INVALID_ARGUMENT, () -> sql.getExportedKeys(none)).contains("table");
    assertFails(Status.Code.INVALID_ARGUMENT, () -> sql.getImportedKeys(none)).contains("table");
    assertFails(Status.Code.INVALID_ARGUMENT, () -> sql.getCrossReference(none, orders))
        .contains("pk_table");
    assertFails(Status.Code.INVALID_ARGUMENT, () -> sql.getCrossReference(orders, none))
        .contains("fk_table");
    var ticket =
        new Ticket(Any.pack(FlightSql.CommandGetPrimaryKeys.getDefaultInstance()).toByteArray());
    assertFails(
            Status.Code.INVALID_ARGUMENT,
            () -> {
              try (FlightStream stream = client.flight().getStream(ticket)) {
                stream.next();
              }
            })
        .contains("table");
  }

  @Test
  void manyTablesAreListedFast() throws Exception {
    Transaction transaction = client.sql().beginTransaction();
    client.sql().executeUpdate("CREATE SCHEMA many", transaction);
    for (int i = 0; i < MANY; i++) {
      client
          .sql()
          .executeUpdate(
              "CREATE TABLE many.t%04d (id BIGINT NOT NULL, name VARCHAR)".formatted(i),
              transaction);
    }
    client.sql().commit(transaction);
    long begin = System.nanoTime();
    assertThat(tables(null, "many", null, null)).hasSize(MANY).isSorted();
    assertThat(rows(client.sql().getTables(null, "many", null, null, true))).hasSize(MANY);
    // A look at the files of each of them takes several times as long.
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(1));
  }

  @Test
  void answersOfManyMegabytesComeInBatchesThatDriversTake() throws Exception {
    String columns =
        IntStream.range(0, 1_000)
            .mapToObj(i -> "a_column_%d INT".formatted(i))
            .collect(Collectors.joining(", "));
    client.update("CREATE SCHEMA wide");
    for (int i = 0; i < 8; i++) {
      client.update("CREATE TABLE wide.w%d (%s)".formatted(i, columns));
    }
    var names = new ArrayList<String>();
    int batches = 0;
    FlightInfo info = client.sql().getTables(null, "wide", null, null, true);
    try (FlightStream stream = client.stream(info)) {
      while (stream.next()) {
        batches++;
        var root = stream.getRoot();
        assertThat(root.getVector("table_schema").getBufferSize()).isLessThan(4 << 20);
        for (int row = 0; row < root.getRowCount(); row++) {
          names.add(root.getVector("table_name").getObject(row).toString());
        }
      }
    }
    assertThat(names).containsExactly("w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7");
    assertThat(batches).isGreaterThan(1);
    client.update("DROP SCHEMA wide CASCADE");
  }

  private static List<Object> foreignKey(
      String parentColumn, String childColumn, int sequence, String name, String parentName) {
    return List.of(
        "temp",
        "main",
        "parent",
        parentColumn,
        "temp",
        "main",
        "child",
        childColumn,
        sequence,
        name,
        parentName,
        (byte) UpdateDeleteRules.NO_ACTION_VALUE,
        (byte) UpdateDeleteRules.NO_ACTION_VALUE);
  }

  private static List<String> tables(
      @Nullable String catalog,
      @Nullable String schema,
      @Nullable String table,
      @Nullable List<String> types)
      throws Exception {
    return rows(client.sql().getTables(catalog, schema, table, types, false)).stream()
        .map(row -> (String) row.get(2))
        .toList();
  }

  private static Schema tableSchema(String schema, String table) throws Exception {
    return schema(rows(client.sql().getTables("lake", schema, table, null, true)).getFirst());
  }

  private static Schema schema(List<Object> row) throws Exception {
    return MessageSerializer.deserializeSchema(
        new ReadChannel(Channels.newChannel(new ByteArrayInputStream((byte[]) row.get(4)))));
  }

  private static void assertAnswer(FlightInfo info, SchemaResult schema, Schema canonical)
      throws Exception {
    assertThat(info.getSchemaOptional()).contains(canonical);
    assertThat(schema.getSchema()).isEqualTo(canonical);
    try (FlightStream stream = client.stream(info)) {
      assertThat(stream.getSchema()).isEqualTo(canonical);
      while (stream.next()) {
        assertThat(stream.getRoot().getSchema()).isEqualTo(canonical);
      }
    }
  }

  private static List<List<Object>> rows(FlightInfo info) throws Exception {
    return rows(client, info);
  }

  private static List<List<Object>> rows(TestingClient asking, FlightInfo info) throws Exception {
    try (FlightStream stream = asking.stream(info)) {
      return TestingClient.rows(stream);
    }
  }
}
