package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.testing.TestingLakeServer;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The stock Arrow Flight SQL JDBC driver, as applications and DBeaver use it. */
class JdbcIT {
  private static TestingLakeServer server;
  private Connection connection;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void connect() throws SQLException {
    connection =
        DriverManager.getConnection(
            "jdbc:arrow-flight-sql://127.0.0.1:%d/?useEncryption=false".formatted(server.port()));
  }

  @AfterEach
  void disconnect() throws SQLException {
    connection.close();
  }

  @Test
  void statementsRunOnce() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      assertThat(statement.executeUpdate("CREATE OR REPLACE TABLE j (i INT, s VARCHAR)")).isZero();
      assertThat(statement.executeUpdate("INSERT INTO j VALUES (1, 'a'), (2, NULL)")).isEqualTo(2);
      assertThat(statement.execute("INSERT INTO j VALUES (3, 'c')")).isFalse();
      assertThat(statement.getUpdateCount()).isEqualTo(1);
      assertThat(statement.execute("SELECT count(*) FROM j")).isTrue();
      try (ResultSet rows = statement.getResultSet()) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getLong(1)).isEqualTo(3);
      }
      try (ResultSet rows = statement.executeQuery("SELECT * FROM j ORDER BY i")) {
        rows.next();
        rows.next();
        assertThat(rows.getInt("i")).isEqualTo(2);
        assertThat(rows.getString("s")).isNull();
        assertThat(rows.wasNull()).isTrue();
      }
    }
  }

  @Test
  void preparedStatementsWithEachSetter() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          "CREATE OR REPLACE TABLE p (b BOOLEAN, i INT, l BIGINT, d DOUBLE, n DECIMAL(10,2),"
              + " s VARCHAR, t DATE, z TIMESTAMP, x BLOB)");
    }
    try (PreparedStatement insert =
        connection.prepareStatement("INSERT INTO p VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      insert.setBoolean(1, true);
      insert.setInt(2, 7);
      insert.setLong(3, 1L << 40);
      insert.setDouble(4, 1.25);
      insert.setBigDecimal(5, new BigDecimal("12.34"));
      insert.setString(6, "text");
      insert.setDate(7, Date.valueOf("2020-02-29"));
      insert.setTimestamp(8, new Timestamp(0));
      insert.setBytes(9, new byte[] {1, 2});
      assertThat(insert.executeUpdate()).isEqualTo(1);
    }
    try (PreparedStatement select =
        connection.prepareStatement("SELECT * FROM p WHERE i = ? AND s = ?")) {
      select.setInt(1, 7);
      select.setString(2, "text");
      try (ResultSet rows = select.executeQuery()) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getBoolean(1)).isTrue();
        assertThat(rows.getLong(3)).isEqualTo(1L << 40);
        assertThat(rows.getBigDecimal(5)).isEqualByComparingTo("12.34");
        assertThat(rows.getString(7)).isEqualTo("2020-02-29");
        assertThat(rows.getBytes(9)).containsExactly(1, 2);
        assertThat(rows.next()).isFalse();
      }
    }
  }

  @Test
  void batches() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE OR REPLACE TABLE many (i INT)");
    }
    try (PreparedStatement insert = connection.prepareStatement("INSERT INTO many VALUES (?)")) {
      for (int i = 0; i < 5; i++) {
        insert.setInt(1, i);
        insert.addBatch();
      }
      insert.executeBatch();
    }
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT count(*), sum(i) FROM many")) {
      rows.next();
      assertThat(rows.getInt(1)).isEqualTo(5);
      assertThat(rows.getInt(2)).isEqualTo(10);
    }
  }

  @Test
  void errorsHaveTheEnginesText() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      assertThatThrownBy(() -> statement.executeQuery("SELECT * FROM nothing_here"))
          .isInstanceOf(SQLException.class)
          .hasStackTraceContaining("Table with name nothing_here does not exist");
      assertThatThrownBy(() -> statement.executeQuery("SELECT 1; SELECT 2"))
          .hasStackTraceContaining("none of them was run");
    }
  }

  /** What DBeaver asks when it connects and when its navigator is opened. */
  @Test
  void metadataThatToolsAskFor() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE OR REPLACE TABLE meta (i INT NOT NULL, d DECIMAL(9,3))");
    }
    DatabaseMetaData metadata = connection.getMetaData();
    assertThat(metadata.getDatabaseProductName()).isEqualTo("ducklake-flight");
    assertThat(metadata.getIdentifierQuoteString()).isEqualTo("\"");
    assertThat(metadata.getSQLKeywords()).contains("qualify");
    assertThat(metadata.supportsTransactions()).isTrue();
    assertThat(metadata.getSearchStringEscape()).isEqualTo("\\");
    assertThat(first(metadata.getCatalogs())).contains("lake");
    assertThat(first(metadata.getSchemas())).contains("main");
    assertThat(first(metadata.getTableTypes())).contains("TABLE", "VIEW");
    try (ResultSet tables = metadata.getTables("lake", "main", "met%", null)) {
      assertThat(tables.next()).isTrue();
      assertThat(tables.getString("TABLE_NAME")).isEqualTo("meta");
      assertThat(tables.getString("TABLE_TYPE")).isEqualTo("TABLE");
    }
    try (ResultSet columns = metadata.getColumns("lake", "main", "meta", "%")) {
      assertThat(columns.next()).isTrue();
      assertThat(columns.getString("COLUMN_NAME")).isEqualTo("i");
      assertThat(columns.getInt("NULLABLE")).isEqualTo(DatabaseMetaData.columnNoNulls);
      assertThat(columns.next()).isTrue();
      assertThat(columns.getString("COLUMN_NAME")).isEqualTo("d");
      assertThat(columns.getInt("DECIMAL_DIGITS")).isEqualTo(3);
    }
    assertThat(first(metadata.getPrimaryKeys("lake", "main", "meta"))).isEmpty();
    assertThat(first(metadata.getImportedKeys("lake", "main", "meta"))).isEmpty();
    assertThat(first(metadata.getExportedKeys("lake", "main", "meta"))).isEmpty();
    assertThat(first(metadata.getCrossReference("lake", "main", "meta", "lake", "main", "meta")))
        .isEmpty();
  }

  /** What a tool shows of a column: the type's name, its size, its default value and remarks. */
  @Test
  void columnsAsToolsShowThem() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          "CREATE OR REPLACE TABLE shown (h HUGEINT NOT NULL, d DECIMAL(9,3), s VARCHAR,"
              + " t TIMESTAMP, b BLOB)");
      statement.executeUpdate("COMMENT ON COLUMN shown.d IS 'how much'");
      try (ResultSet rows = statement.executeQuery("SELECT d, s, d AS named FROM shown")) {
        ResultSetMetaData columns = rows.getMetaData();
        assertThat(columns.getPrecision(1)).isEqualTo(9);
        assertThat(columns.getScale(1)).isEqualTo(3);
        assertThat(columns.getColumnLabel(1)).isEqualTo("d");
        assertThat(columns.getColumnLabel(3)).isEqualTo("named");
        assertThat(columns.isCaseSensitive(1)).isFalse();
        assertThat(columns.isCaseSensitive(2)).isTrue();
      }
    }
    var shown = new ArrayList<List<Object>>();
    try (ResultSet columns = connection.getMetaData().getColumns("lake", "main", "shown", null)) {
      while (columns.next()) {
        shown.add(
            Arrays.asList(
                columns.getString("COLUMN_NAME"),
                columns.getString("TYPE_NAME"),
                columns.getInt("COLUMN_SIZE"),
                columns.getString("REMARKS"),
                columns.getString("IS_NULLABLE"),
                columns.getString("IS_AUTOINCREMENT"),
                columns.getInt("ORDINAL_POSITION")));
      }
    }
    assertThat(shown)
        .containsExactly(
            Arrays.asList("h", "HUGEINT", 38, null, "NO", "NO", 1),
            Arrays.asList("d", "DECIMAL(9,3)", 9, "how much", "YES", "NO", 2),
            Arrays.asList("s", "VARCHAR", 65536, null, "YES", "NO", 3),
            Arrays.asList("t", "TIMESTAMP", 26, null, "YES", "NO", 4),
            Arrays.asList("b", "BLOB", 65536, null, "YES", "NO", 5));
    try (ResultSet columns = connection.getMetaData().getColumns(null, null, "shown", "_")) {
      assertThat(names(columns, "COLUMN_NAME")).containsExactly("h", "d", "s", "t", "b");
    }
  }

  @Test
  void keysOfTemporaryTables() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE TEMP TABLE parent (a INT, b INT, PRIMARY KEY (b, a))");
      statement.executeUpdate(
          "CREATE TEMP TABLE child (x INT, y INT, FOREIGN KEY (x, y) REFERENCES parent (b, a))");
    }
    DatabaseMetaData metadata = connection.getMetaData();
    assertThat(names(metadata.getPrimaryKeys("temp", "main", "parent"), "COLUMN_NAME"))
        .containsExactly("b", "a");
    assertThat(names(metadata.getImportedKeys(null, null, "child"), "FKCOLUMN_NAME"))
        .containsExactly("x", "y");
    assertThat(names(metadata.getExportedKeys(null, null, "parent"), "PKCOLUMN_NAME"))
        .containsExactly("b", "a");
    assertThat(
            names(metadata.getCrossReference(null, null, "parent", null, null, "child"), "FK_NAME"))
        .containsExactly("child_x_y_b_a_fkey", "child_x_y_b_a_fkey");
    assertThat(names(metadata.getTables(null, null, "%", null), "TABLE_CAT")).contains("temp");
    assertThat(names(metadata.getTables(null, null, "%", new String[] {"VIEW"}), "TABLE_NAME"))
        .doesNotContain("parent");
  }

  /** The driver's own answers to what Flight SQL has no command for: empty, but no errors. */
  @Test
  void whatTheDriverDoesNotAskTheServer() throws SQLException {
    DatabaseMetaData metadata = connection.getMetaData();
    assertThat(names(metadata.getIndexInfo("lake", "main", "t", false, true), "INDEX_NAME"))
        .isEmpty();
    assertThat(names(metadata.getFunctions("lake", "main", "%"), "FUNCTION_NAME")).isEmpty();
    assertThat(names(metadata.getProcedures("lake", "main", "%"), "PROCEDURE_NAME")).isEmpty();
    assertThat(names(metadata.getTypeInfo(), "TYPE_NAME")).isEmpty();
  }

  /** Getters without parameters, all of them. */
  @Test
  void everyGetterOfTheDatabasesMetadata() throws Exception {
    DatabaseMetaData metadata = connection.getMetaData();
    var failed = new TreeSet<String>();
    int called = 0;
    for (Method getter : DatabaseMetaData.class.getMethods()) {
      if (getter.getParameterCount() > 0 || Modifier.isStatic(getter.getModifiers())) {
        continue;
      }
      called++;
      try {
        if (getter.invoke(metadata) instanceof ResultSet rows) {
          rows.close();
        }
      } catch (InvocationTargetException e) {
        failed.add(getter.getName());
      }
    }
    assertThat(called).isGreaterThan(120);
    assertThat(failed).isEmpty();
    assertThat(metadata.supportsFullOuterJoins()).isTrue();
    assertThat(metadata.supportsCorrelatedSubqueries()).isTrue();
    assertThat(metadata.supportsUnionAll()).isTrue();
    assertThat(metadata.supportsSavepoints()).isFalse();
    assertThat(metadata.supportsANSI92EntryLevelSQL()).isTrue();
    assertThat(metadata.supportsConvert(Types.VARCHAR, Types.DATE)).isTrue();
    assertThat(metadata.supportsConvert(Types.DATE, Types.BIGINT)).isFalse();
    assertThat(metadata.getNumericFunctions()).contains("sqrt");
    assertThat(metadata.nullsAreSortedAtEnd()).isTrue();
  }

  private static List<String> names(ResultSet rows, String column) throws SQLException {
    var names = new ArrayList<String>();
    try (rows) {
      while (rows.next()) {
        names.add(rows.getString(column));
      }
    }
    return names;
  }

  @Test
  void aLargeResult() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT i, i::VARCHAR AS s FROM range(500000) t(i)")) {
      long sum = 0;
      while (rows.next()) {
        sum += rows.getLong(1);
      }
      assertThat(sum).isEqualTo(500_000L * 499_999 / 2);
    }
  }

  private static List<String> first(ResultSet rows) throws SQLException {
    var values = new ArrayList<String>();
    try (rows) {
      while (rows.next()) {
        values.add(rows.getString(rows.getMetaData().getColumnCount() > 3 ? 3 : 1));
      }
    }
    return values;
  }
}
