package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.testing.TestingCertificates;
import com.lokryn.ducklake.testing.TestingCertificates.Issued;
import com.lokryn.ducklake.testing.TestingCertificates.Span;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingUsers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Driver;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;

/** The JDBC driver as the files for DBeaver under client-examples set it up. */
class DbeaverExampleIT {
  private static final Path EXAMPLES =
      Path.of(System.getProperty("basedir", "."), "..", "client-examples");

  @TempDir private Path directory;

  @Test
  void withoutTls() throws Exception {
    try (var server = TestingLakeServer.start()) {
      navigate(server, "ducklake-flight-local", Map.of());
    }
  }

  @Test
  void withTlsAndALogin() throws Exception {
    Issued authority = TestingCertificates.authority("root");
    Path certificate = directory.resolve("tls.crt");
    Path key = directory.resolve("tls.key");
    Path root = directory.resolve("root.crt");
    TestingCertificates.server(authority, "server", Span.days(30)).writeTo(certificate, key);
    TestingCertificates.write(root, authority.pem());
    var settings =
        Map.of(
            "flight_tls_certificate", certificate.toString(),
            "flight_tls_private_key", key.toString(),
            "flight_users", TestingUsers.each());
    try (var server = TestingLakeServer.start(settings)) {
      navigate(
          server,
          "ducklake-flight-tls",
          Map.of(
              "tlsRootCerts", root.toString(), "user", "ria", "password", TestingUsers.PASSWORD));
    }
  }

  /** The page says of the driver what the file does. */
  @Test
  void thePageHasTheDriver() throws Exception {
    Element driver = driver();
    Element library = (Element) driver.getElementsByTagName("library").item(0);
    String artifact = library.getAttribute("path").replace("maven:/", "");
    assertThat(Files.readString(EXAMPLES.resolve("dbeaver.md")))
        .contains("| Class Name | `%s` |".formatted(driver.getAttribute("class")))
        .contains("| URL Template | `%s` |".formatted(driver.getAttribute("url")))
        .contains("| Default Port | `%s` |".formatted(driver.getAttribute("port")))
        .contains("| Libraries, Add Artifact | `%s` |".formatted(artifact));
    assertThat(jar()).endsWith(artifact.replaceFirst(".*:(.+):(.+)", "/$1-$2.jar"));
  }

  private static String jar() throws ClassNotFoundException {
    return Class.forName("org.apache.arrow.driver.jdbc.ArrowFlightJdbcDriver")
        .getProtectionDomain()
        .getCodeSource()
        .getLocation()
        .getPath();
  }

  private static Element driver() throws Exception {
    var document =
        DocumentBuilderFactory.newDefaultInstance()
            .newDocumentBuilder()
            .parse(EXAMPLES.resolve("dbeaver/drivers.xml").toFile());
    return (Element) document.getElementsByTagName("driver").item(0);
  }

  /** Connects as DBeaver does, which fills in the template, and opens the navigator. */
  private static void navigate(TestingLakeServer server, String name, Map<String, String> own)
      throws Exception {
    Element driver = driver();
    JsonNode configuration =
        new ObjectMapper()
            .readTree(EXAMPLES.resolve("dbeaver/data-sources.json").toFile())
            .at("/connections/" + name + "/configuration");
    assertThat(configuration.at("/url").asText())
        .isEqualTo(
            driver
                .getAttribute("url")
                .replace("{host}", configuration.at("/host").asText())
                .replace("{port}", configuration.at("/port").asText()));
    var values = new HashMap<String, String>();
    configuration
        .at("/properties")
        .properties()
        .forEach(property -> values.put(property.getKey(), property.getValue().asText()));
    values.putAll(own);
    var properties = new Properties();
    properties.putAll(values);
    String url =
        driver
            .getAttribute("url")
            .replace("{host}", "localhost")
            .replace("{port}", String.valueOf(server.port()));
    Driver jdbc =
        Class.forName(driver.getAttribute("class"))
            .asSubclass(Driver.class)
            .getDeclaredConstructor()
            .newInstance();
    try (Connection connection = jdbc.connect(url, properties);
        Statement statement = connection.createStatement()) {
      DatabaseMetaData metadata = connection.getMetaData();
      assertThat(JdbcTestBase.names(metadata.getCatalogs(), "TABLE_CAT")).contains("lake");
      assertThat(JdbcTestBase.names(metadata.getSchemas(), "TABLE_SCHEM")).contains("main");
      statement.executeUpdate("CREATE TEMP TABLE shown (id INT)");
      assertThat(JdbcTestBase.names(metadata.getTables(null, null, "shown", null), "TABLE_NAME"))
          .containsExactly("shown");
      assertThat(value(statement, "SELECT 42")).isEqualTo(42);
    }
  }

  private static int value(Statement statement, String sql) throws SQLException {
    try (ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getInt(1);
    }
  }
}
