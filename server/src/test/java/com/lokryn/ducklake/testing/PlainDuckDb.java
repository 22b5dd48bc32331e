package com.lokryn.ducklake.testing;

import com.lokryn.ducklake.engine.Sql;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;

/** DuckDB without a server, which attaches the lake of one for itself. */
public final class PlainDuckDb implements AutoCloseable {
  private final Connection connection;

  public PlainDuckDb(TestingProduction services, String lake) throws SQLException {
    connection = DriverManager.getConnection("jdbc:duckdb:");
    var extensions = TestingLakeServer.extensions();
    for (String extension : List.of("ducklake", "postgres_scanner", "httpfs")) {
      run(extensions.load(extension));
    }
    run(
        "CREATE SECRET catalog (TYPE postgres, HOST '127.0.0.1', PORT %d, DATABASE '%s', USER '%s',"
                .formatted(services.postgres().port(), lake, TestingPostgres.USER)
            + " PASSWORD %s)".formatted(Sql.literal(TestingPostgres.PASSWORD)));
    run(
        "CREATE SECRET data (TYPE s3, KEY_ID 'testing', SECRET 'testing', REGION 'us-east-1',"
            + " URL_STYLE 'path', USE_SSL false, ENDPOINT '%s')"
                .formatted(services.aws().endpoint().getAuthority()));
    run(
        "ATTACH 'ducklake:postgres:' AS lake (DATA_PATH 's3://%s/data/', META_SECRET 'catalog')"
            .formatted(lake));
    run("SET GLOBAL ducklake_max_retry_count=100");
    run("USE lake");
  }

  public void run(String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
