package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.engine.SessionSettings;
import com.lokryn.ducklake.testing.LocalServer;
import com.lokryn.ducklake.testing.TestingClient;
import io.grpc.Status;
import java.util.HashMap;
import java.util.Map;
import org.apache.arrow.flight.CloseSessionRequest;
import org.apache.arrow.flight.CloseSessionResult;
import org.apache.arrow.flight.GetSessionOptionsRequest;
import org.apache.arrow.flight.SessionOptionValue;
import org.apache.arrow.flight.SessionOptionValueFactory;
import org.apache.arrow.flight.SetSessionOptionsRequest;
import org.apache.arrow.flight.SetSessionOptionsResult;
import org.apache.arrow.flight.SetSessionOptionsResult.ErrorValue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The options of sessions, and the settings of DuckDB that are a session's own. */
class SessionOptionsIT {
  @RegisterExtension static final LocalServer server = new LocalServer();

  private TestingClient client;
  private TestingClient other;

  @BeforeEach
  void connect() {
    client = server.connect();
    other = server.connect();
  }

  private Map<String, ErrorValue> set(Map<String, SessionOptionValue> options) {
    var errors = new HashMap<String, ErrorValue>();
    SetSessionOptionsResult result =
        client.flight().setSessionOptions(new SetSessionOptionsRequest(options));
    result.getErrors().forEach((name, error) -> errors.put(name, error.value));
    return errors;
  }

  private static Map<String, String> get(TestingClient of) {
    var values = new HashMap<String, String>();
    of.flight()
        .getSessionOptions(new GetSessionOptionsRequest())
        .getSessionOptions()
        .forEach((name, value) -> values.put(name, value.toString().replace("\"", "")));
    return values;
  }

  private static SessionOptionValue text(String value) {
    return SessionOptionValueFactory.makeSessionOptionValue(value);
  }

  @Test
  void namesAreLookedUpWhereTheSessionSays() throws Exception {
    client.update("CREATE SCHEMA IF NOT EXISTS lake.\"Far Away\"");
    client.update("CREATE OR REPLACE TABLE lake.\"Far Away\".near AS SELECT 5 AS i");
    assertThat(set(Map.of("catalog", text("lake"), "schema", text("Far Away")))).isEmpty();
    assertThat(client.value("SELECT i FROM near")).isEqualTo(5);
    assertFails(Status.Code.NOT_FOUND, () -> other.value("SELECT i FROM near"));
    assertThat(get(client)).containsEntry("schema", "Far Away").containsEntry("catalog", "lake");
    assertThat(get(other)).containsEntry("schema", "main").containsEntry("catalog", "lake");
    assertThat(set(Map.of("schema", SessionOptionValueFactory.makeEmptySessionOptionValue())))
        .isEmpty();
    assertThat(get(client)).containsEntry("schema", "main").containsEntry("catalog", "lake");
  }

  /** Drivers ask for an option by its kind. */
  @Test
  void optionsAreOfTheirKind() {
    var options =
        client.flight().getSessionOptions(new GetSessionOptionsRequest()).getSessionOptions();
    assertThat(options.get("integer_division"))
        .isEqualTo(SessionOptionValueFactory.makeSessionOptionValue(false));
    assertThat(options.get("pivot_limit"))
        .isEqualTo(SessionOptionValueFactory.makeSessionOptionValue(100_000L));
    assertThat(options.get("catalog")).isEqualTo(text("lake"));
  }

  @Test
  void aSettingIsTheSessionsOwn() throws Exception {
    assertThat(
            set(
                Map.of(
                    "integer_division", SessionOptionValueFactory.makeSessionOptionValue(true),
                    "pivot_limit", SessionOptionValueFactory.makeSessionOptionValue(77L))))
        .isEmpty();
    assertThat(client.value("SELECT 7 / 2")).isEqualTo(3);
    assertThat(other.value("SELECT 7 / 2")).isEqualTo(3.5);
    assertThat(get(client))
        .containsEntry("integer_division", "true")
        .containsEntry("pivot_limit", "77");
    assertThat(get(other)).containsEntry("integer_division", "false");
    assertThat(
            set(
                Map.of(
                    "integer_division", SessionOptionValueFactory.makeEmptySessionOptionValue())))
        .isEmpty();
    assertThat(client.value("SELECT 7 / 2")).isEqualTo(3.5);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "threads",
        "memory_limit",
        "enable_external_access",
        "allowed_directories",
        "s3_access_key_id",
        "default_order",
        "nonsense",
        "max_expression_depth",
        "allowed_configs"
      })
  void otherSettingsAreNobodys(String name) {
    assertThat(set(Map.of(name, text("1"))))
        .containsExactly(Map.entry(name, ErrorValue.INVALID_NAME));
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.update("SET " + name + " = '1'"));
  }

  /** Not those that a plain SET would set for everyone. */
  @Test
  void aPlainSetIsNotFeltByOthers() throws Exception {
    for (String name : SessionSettings.NAMES) {
      String before = String.valueOf(other.value("SELECT current_setting('%s')".formatted(name)));
      String changed =
          switch (before) {
            case "true" -> "false";
            case "false" -> "true";
            default -> name.equals("explain_output") ? "all" : "7";
          };
      client.update("SET %s = '%s'".formatted(name, changed));
      assertThat(String.valueOf(client.value("SELECT current_setting('%s')".formatted(name))))
          .describedAs(name)
          .isEqualToIgnoringCase(changed);
      assertThat(String.valueOf(other.value("SELECT current_setting('%s')".formatted(name))))
          .describedAs(name)
          .isEqualTo(before);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SET GLOBAL integer_division = true",
        "set /* x */ gLoBaL integer_division = true",
        "RESET GLOBAL integer_division",
      })
  void nothingIsSetForEveryone(String sql) throws Exception {
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.update(sql));
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.sql().prepare(sql));
    assertThat(other.value("SELECT 7 / 2")).isEqualTo(3.5);
  }

  @Test
  void whatIsWrongIsSaidOfEach() {
    assertThat(
            set(
                Map.of(
                    "schema", text("nowhere"),
                    "catalog", SessionOptionValueFactory.makeSessionOptionValue(3L),
                    "pivot_limit", text("many"),
                    "integer_division", SessionOptionValueFactory.makeSessionOptionValue(1.5))))
        .containsOnlyKeys("schema", "catalog", "pivot_limit", "integer_division")
        .containsValue(ErrorValue.INVALID_VALUE)
        .doesNotContainValue(ErrorValue.INVALID_NAME);
  }

  @Test
  void aSessionThatIsClosedTakesAllOfItsOwnAlong() throws Exception {
    client.update("CREATE TEMP TABLE mine AS SELECT 1 AS i");
    client.update("SET integer_division = true");
    assertThat(client.flight().closeSession(new CloseSessionRequest()).getStatus())
        .isEqualTo(CloseSessionResult.Status.CLOSED);
    assertFails(Status.Code.NOT_FOUND, () -> client.value("SELECT i FROM mine"));
    assertThat(client.value("SELECT 7 / 2")).isEqualTo(3.5);
  }
}
