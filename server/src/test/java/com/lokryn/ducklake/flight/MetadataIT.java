package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import java.io.ByteArrayInputStream;
import java.nio.channels.Channels;
import java.util.List;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.sql.FlightSqlProducer.Schemas;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlInfo;
import org.apache.arrow.flight.sql.util.TableRef;
import org.apache.arrow.vector.ipc.ReadChannel;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MetadataIT {
  private static TestingLakeServer server;
  private static TestingClient client;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start();
    client = server.connect();
    client.update("CREATE SCHEMA sales");
    client.update(
        "CREATE TABLE sales.orders (id BIGINT NOT NULL, price DECIMAL(10, 2), tags VARCHAR[])");
    client.update("COMMENT ON COLUMN sales.orders.price IS 'net'");
    client.update("CREATE TABLE plain_table (i INT)");
    client.update("CREATE TABLE plainXtable (i INT)");
    client.update("CREATE VIEW looking AS SELECT id FROM sales.orders");
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
    assertAnswer(sql.getCatalogs(), Schemas.GET_CATALOGS_SCHEMA);
    assertAnswer(sql.getSchemas(null, null), Schemas.GET_SCHEMAS_SCHEMA);
    assertAnswer(sql.getTables(null, null, null, null, false), Schemas.GET_TABLES_SCHEMA_NO_SCHEMA);
    assertAnswer(sql.getTables(null, null, null, null, true), Schemas.GET_TABLES_SCHEMA);
    assertAnswer(sql.getTableTypes(), Schemas.GET_TABLE_TYPES_SCHEMA);
    assertAnswer(sql.getSqlInfo(), Schemas.GET_SQL_INFO_SCHEMA);
    assertAnswer(sql.getXdbcTypeInfo(), Schemas.GET_TYPE_INFO_SCHEMA);
    TableRef orders = TableRef.of("lake", "sales", "orders");
    assertAnswer(sql.getPrimaryKeys(orders), Schemas.GET_PRIMARY_KEYS_SCHEMA);
    assertAnswer(sql.getExportedKeys(orders), Schemas.GET_EXPORTED_KEYS_SCHEMA);
    assertAnswer(sql.getImportedKeys(orders), Schemas.GET_IMPORTED_KEYS_SCHEMA);
    assertAnswer(sql.getCrossReference(orders, orders), Schemas.GET_CROSS_REFERENCE_SCHEMA);
  }

  @Test
  void catalogsAndSchemas() throws Exception {
    assertThat(rows(client.sql().getCatalogs())).containsExactly(List.of("lake"));
    assertThat(rows(client.sql().getSchemas("lake", "s%")))
        .containsExactly(List.of("lake", "sales"));
    assertThat(rows(client.sql().getSchemas("%", null))).contains(List.of("lake", "main"));
    assertThat(rows(client.sql().getSchemas("other", null))).isEmpty();
  }

  @Test
  void tablesByPatternAndType() throws Exception {
    assertThat(rows(client.sql().getTables(null, "sales", null, null, false)))
        .containsExactly(List.of("lake", "sales", "orders", "TABLE"));
    assertThat(rows(client.sql().getTables(null, null, null, List.of("VIEW"), false)))
        .containsExactly(List.of("lake", "main", "looking", "VIEW"));
    assertThat(rows(client.sql().getTables(null, null, "plain_table", null, false))).hasSize(2);
    assertThat(rows(client.sql().getTables(null, null, "plain\\_table", null, false))).hasSize(1);
  }

  @Test
  void tableSchemasAreThoseOfAQuery() throws Exception {
    List<Object> row =
        rows(client.sql().getTables("lake", "sales", "orders", null, true)).getFirst();
    Schema schema =
        MessageSerializer.deserializeSchema(
            new ReadChannel(Channels.newChannel(new ByteArrayInputStream((byte[]) row.get(4)))));
    Schema queried = client.info("SELECT * FROM sales.orders").getSchemaOptional().orElseThrow();
    assertThat(schema.getFields())
        .extracting(f -> f.getType())
        .isEqualTo(queried.getFields().stream().map(f -> f.getType()).toList());
    assertThat(schema.findField("id").isNullable()).isFalse();
    assertThat(schema.findField("price").isNullable()).isTrue();
    assertThat(schema.findField("price").getType()).isEqualTo(new ArrowType.Decimal(10, 2, 128));
    assertThat(schema.findField("price").getMetadata())
        .containsEntry("ARROW:FLIGHT:SQL:REMARKS", "net")
        .containsEntry("ARROW:FLIGHT:SQL:TYPE_NAME", "DECIMAL(10,2)")
        .containsEntry("ARROW:FLIGHT:SQL:PRECISION", "10")
        .containsEntry("ARROW:FLIGHT:SQL:SCALE", "2")
        .containsEntry("ARROW:FLIGHT:SQL:SCHEMA_NAME", "sales");
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
  void serverInfoHasAllItsEntriesAndLeavesOutWhatIsUnknown() throws Exception {
    assertThat(rows(client.sql().getSqlInfo()).size()).isGreaterThanOrEqualTo(85);
    assertThat(
            rows(
                client
                    .sql()
                    .getSqlInfo(SqlInfo.FLIGHT_SQL_SERVER_NAME, SqlInfo.FLIGHT_SQL_SERVER_CANCEL)))
        .extracting(row -> String.valueOf(row.get(1)))
        .containsExactly("ducklake-flight", "true");
    assertThat(rows(client.sql().getSqlInfo(List.of(99_999)))).isEmpty();
  }

  @Test
  void typeInfoByNumber() throws Exception {
    assertThat(rows(client.sql().getXdbcTypeInfo())).hasSizeGreaterThan(20);
    assertThat(rows(client.sql().getXdbcTypeInfo(3)))
        .extracting(row -> row.getFirst())
        .containsExactly("DECIMAL");
  }

  private static void assertAnswer(FlightInfo info, Schema canonical) throws Exception {
    assertThat(info.getSchemaOptional()).contains(canonical);
    try (FlightStream stream = client.stream(info)) {
      assertThat(stream.getSchema()).isEqualTo(canonical);
      while (stream.next()) {
        assertThat(stream.getRoot().getSchema()).isEqualTo(canonical);
      }
    }
  }

  private static List<List<Object>> rows(FlightInfo info) throws Exception {
    try (FlightStream stream = client.stream(info)) {
      return TestingClient.rows(stream);
    }
  }
}
