package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The catalog through the stock JDBC driver, with the calls that DBeaver makes. */
class JdbcMetadataIT extends JdbcTestBase {
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

  /** The settings of its data source and of its SQL dialect. */
  @Test
  void whatDBeaverAsksWhenItConnects() throws SQLException {
    DatabaseMetaData metadata = connection.getMetaData();
    assertThat(metadata.isReadOnly()).isFalse();
    assertThat(metadata.getDatabaseProductVersion()).isNotBlank();
    assertThat(metadata.getDriverName()).isNotBlank();
    assertThat(metadata.getDriverVersion()).isNotBlank();
    assertThat(metadata.getDatabaseMajorVersion()).isNotNegative();
    assertThat(metadata.getSchemaTerm()).isEqualTo("schema");
    assertThat(metadata.getCatalogTerm()).isNotBlank();
    assertThat(metadata.supportsTransactions()).isTrue();
    assertThat(metadata.supportsSubqueriesInExists()).isTrue();
    assertThat(metadata.storesLowerCaseIdentifiers()).isFalse();
    assertThat(metadata.supportsCatalogsInDataManipulation()).isTrue();
    assertThat(metadata.supportsSchemasInDataManipulation()).isTrue();
    assertThat(metadata.supportsSchemasInTableDefinitions()).isTrue();
    assertThat(metadata.isCatalogAtStart()).isTrue();
    assertThat(metadata.getStringFunctions()).contains("upper");
    assertThat(metadata.getTimeDateFunctions()).isNotBlank();
    assertThat(metadata.getSystemFunctions()).isNotNull();
  }

  /** Its navigator: names come escaped, each folder is one call. */
  @Test
  void whatDBeaverAsksForItsNavigator() throws SQLException {
    run(
        "CREATE SCHEMA IF NOT EXISTS nav_1",
        "CREATE SCHEMA IF NOT EXISTS navX1",
        "CREATE OR REPLACE TABLE nav_1.a_b (i INT)",
        "CREATE OR REPLACE TABLE nav_1.aXb (other INT)",
        "CREATE OR REPLACE VIEW nav_1.v AS SELECT 1 AS one");
    DatabaseMetaData metadata = connection.getMetaData();
    String schema = "nav" + metadata.getSearchStringEscape() + "_1";
    assertThat(names(metadata.getSchemas("lake", "%"), "TABLE_SCHEM"))
        .contains("main", "nav_1", "navX1");
    assertThat(names(metadata.getSchemas("lake", schema), "TABLE_SCHEM")).containsExactly("nav_1");
    assertThat(names(metadata.getTables("lake", schema, "%", null), "TABLE_NAME"))
        .containsExactlyInAnyOrder("a_b", "aXb", "v");
    assertThat(names(metadata.getColumns("lake", schema, "%", "%"), "COLUMN_NAME"))
        .containsExactlyInAnyOrder("i", "other", "one");
    assertThat(names(metadata.getColumns("lake", schema, "a\\_b", "%"), "COLUMN_NAME"))
        .containsExactly("i");
    assertThat(names(metadata.getPrimaryKeys("lake", "nav_1", "%"), "COLUMN_NAME")).isEmpty();
    assertThat(names(metadata.getImportedKeys("lake", "nav_1", "%"), "FK_NAME")).isEmpty();
    assertThat(names(metadata.getExportedKeys("lake", "nav_1", "a_b"), "FK_NAME")).isEmpty();
    assertThat(names(metadata.getIndexInfo("lake", "nav_1", "a_b", false, true), "INDEX_NAME"))
        .isEmpty();
    assertThat(names(metadata.getProcedureColumns("lake", schema, "f", "%"), "COLUMN_NAME"))
        .isEmpty();
    assertThat(names(metadata.getFunctionColumns("lake", schema, "f", "%"), "COLUMN_NAME"))
        .isEmpty();
    assertThat(names(metadata.getUDTs("lake", schema, "%", null), "TYPE_NAME")).isEmpty();
    assertThat(names(metadata.getSuperTables("lake", schema, "%"), "TABLE_NAME")).isEmpty();
    assertThat(names(metadata.getTablePrivileges("lake", schema, "%"), "TABLE_NAME")).isEmpty();
    assertThat(names(metadata.getBestRowIdentifier("lake", "nav_1", "a_b", 0, true), "COLUMN_NAME"))
        .isEmpty();
    assertThat(names(metadata.getVersionColumns("lake", "nav_1", "a_b"), "COLUMN_NAME")).isEmpty();
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
