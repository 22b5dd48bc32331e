package com.lokryn.ducklake.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class CascadeTest {
  private static final String CANARY = "canary-7f3a";
  private static final String ASKING = "Attempting to load config from Secrets Manager...";
  private static final String FROM_SECRET = "✓ Configuration loaded from Secrets Manager";
  private static final List<String> FALLING_BACK =
      List.of(
          ASKING,
          "  Secret not found or not accessible, falling back to environment variables",
          "Attempting to load config from environment variables...");
  private static final String FROM_ENVIRONMENT =
      "✓ Configuration loaded from environment variables";

  private static final String SECRET =
      """
      {"postgres_user": "su", "postgres_password": "canary-7f3a", "postgres_db": "sdb",
       "s3_bucket_url": "s3://secret-bucket", "aws_region": "eu-west-1"}
      """;
  private static final Map<String, String> VARIABLES =
      Map.of(
          "POSTGRES_USER", "eu",
          "POSTGRES_PASSWORD", CANARY,
          "POSTGRES_DB", "edb",
          "S3_BUCKET_URL", "s3://env-bucket/x/",
          "AWS_REGION", "us-east-1");

  @TempDir private Path directory;
  private final List<String> lines = new ArrayList<>();
  private final List<String> asked = new ArrayList<>();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();

  @BeforeEach
  void listen() {
    log.start();
    ((Logger) LoggerFactory.getLogger(Cascade.class)).addAppender(log);
  }

  @AfterEach
  void noValueOfTheSecretGotOut() {
    ((Logger) LoggerFactory.getLogger(Cascade.class)).detachAppender(log);
    assertThat(lines).noneMatch(line -> line.contains(CANARY));
    assertThat(log.list)
        .noneMatch(event -> event.getFormattedMessage().contains(CANARY))
        .allMatch(event -> event.getThrowableProxy() == null);
  }

  @Test
  void theSecretIsTheSourceWhereItIsThere() throws Exception {
    ServerConfig config = read(secret(SECRET), VARIABLES);
    assertThat(config.get(Settings.POSTGRES_USER)).isEqualTo("su");
    assertThat(config.get(Settings.POSTGRES_PASSWORD).reveal()).isEqualTo(CANARY);
    assertThat(config.get(Settings.S3_BUCKET_URL).url()).isEqualTo("s3://secret-bucket/data/");
    assertThat(config.get(Settings.AWS_REGION)).isEqualTo("eu-west-1");
    assertThat(config.get(Settings.POSTGRES_HOST)).isEqualTo("localhost");
    assertThat(config.toString()).doesNotContain(CANARY);
    assertThat(lines).containsExactly(ASKING, FROM_SECRET);
    assertThat(asked).containsExactly("lokryn/ducklake/config");
  }

  @Test
  void otherSettingsComeFromTheSecretThenTheEnvironmentThenDefaults() throws Exception {
    String json =
        SECRET.replace(
            "}", ", \"postgres_port\": 6543, \"threads\": \"3\", \"log_format\":\"json\"}");
    var variables = new HashMap<>(VARIABLES);
    variables.put("POSTGRES_PORT", "7654");
    variables.put("POSTGRES_HOST", "db");
    variables.put("THREADS", "5");
    ServerConfig config =
        new Cascade(secret(json), variables, lines::add)
            .read(Map.of("threads", "2"), Optional.empty());
    assertThat(config.get(Settings.POSTGRES_PORT)).isEqualTo(6543);
    assertThat(config.get(Settings.POSTGRES_HOST)).isEqualTo("db");
    assertThat(config.find(Settings.THREADS)).contains(2);
    assertThat(config.get(Settings.LOG_FORMAT)).isEqualTo(Settings.LogFormat.JSON);
    assertThat(config.get(Settings.FLIGHT_PORT)).isEqualTo(31_337);
  }

  @Test
  void theEnvironmentIsTheSourceWhereTheSecretIsNotAccessible() throws Exception {
    ServerConfig config = read(notAccessible(), VARIABLES);
    assertThat(config.get(Settings.POSTGRES_USER)).isEqualTo("eu");
    assertThat(config.get(Settings.S3_BUCKET_URL).url()).isEqualTo("s3://env-bucket/x/");
    assertThat(lines)
        .startsWith(FALLING_BACK.toArray(String[]::new))
        .endsWith(FROM_ENVIRONMENT)
        .hasSize(4);
    assertThat(log.list)
        .singleElement()
        .satisfies(
            event ->
                assertThat(event.getFormattedMessage())
                    .contains("AccessDeniedException: no")
                    .contains("add secretsmanager:GetSecretValue"));
  }

  @Test
  void whatIsMissingEverywhereIsNamedOnOneLine() {
    var variables = new HashMap<>(VARIABLES);
    variables.remove("POSTGRES_USER");
    variables.put("S3_BUCKET_URL", "");
    ConfigException thrown = refused(notAccessible(), variables);
    assertThat(lines)
        .startsWith(FALLING_BACK.toArray(String[]::new))
        .endsWith("  Missing required configuration: POSTGRES_USER, S3_BUCKET_URL")
        .hasSize(4);
    assertThat(thrown.problems())
        .singleElement()
        .asString()
        .contains("set POSTGRES_USER, S3_BUCKET_URL", "lokryn/ducklake/config");
  }

  @Test
  void whatIsMissingAndWhatIsWrongAreReportedTogether() {
    var variables = new HashMap<>(VARIABLES);
    variables.remove("POSTGRES_DB");
    variables.put("AWS_REGION", "Ireland");
    variables.put("FLIGHT_PORT", "many");
    assertThat(refused(notAccessible(), variables).problems())
        .hasSize(3)
        .anySatisfy(p -> assertThat(p).contains("set POSTGRES_DB,"))
        .anySatisfy(p -> assertThat(p).contains("aws_region (from the environment as AWS_REGION)"))
        .anySatisfy(p -> assertThat(p).contains("flight_port"));
  }

  @Test
  void aServiceThatDoesNotWorkEndsTheStart() {
    var problem = new StartProblem(Kind.DEPENDENCY, "Rate exceeded", "try again later");
    StartException thrown =
        catchThrowableOfType(
            StartException.class, () -> read(_ -> new SecretSource.Failed(problem), VARIABLES));
    assertThat(thrown.problem()).isEqualTo(problem);
    assertThat(lines).containsExactly(ASKING);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | not a JSON object",
        "canary-7f3a | not valid JSON (line 1, column ",
        "{\"postgres_password\": canary-7f3a} | not valid JSON (line 1, column ",
        "{\"postgres_password\": \"canary-7f3a\" | not valid JSON",
        "{\"a\": \"canary-7f3a\", \"a\": \"canary-7f3a\"} | not valid JSON",
        "{} \"canary-7f3a\" | not valid JSON",
        "[\"canary-7f3a\"] | not a JSON object",
        "\"canary-7f3a\" | not a JSON object",
        "null | not a JSON object",
      })
  void aMalformedSecretIsAnErrorOfItsOwn(String text, String sentence) {
    ConfigException thrown = refused(secret(text), VARIABLES);
    assertThat(thrown.problems())
        .singleElement()
        .asString()
        .contains("the secret lokryn/ducklake/config", sentence);
    assertThat(lines).containsExactly(ASKING);
  }

  @Test
  void aBinarySecretIsAnError() {
    assertThat(refused(_ -> new SecretSource.Binary(), VARIABLES).problems())
        .singleElement()
        .asString()
        .contains("the secret lokryn/ducklake/config holds bytes");
  }

  @Test
  void keysInUpperCaseAreNamed() {
    String json =
        SECRET.replace("postgres_user", "POSTGRES_USER").replace("aws_region", "AWS_Region");
    assertThat(refused(secret(json), VARIABLES).problems())
        .hasSize(2)
        .anySatisfy(p -> assertThat(p).contains("POSTGRES_USER", "write postgres_user"))
        .anySatisfy(p -> assertThat(p).contains("AWS_Region", "write aws_region"));
  }

  @Test
  void missingKeysAreNamedAndNotTakenFromTheEnvironment() {
    assertThat(refused(secret("{\"postgres_user\": \"su\"}"), VARIABLES).problems())
        .containsExactly(
            "the secret lokryn/ducklake/config lacks postgres_password: add it",
            "the secret lokryn/ducklake/config lacks postgres_db: add it",
            "the secret lokryn/ducklake/config lacks s3_bucket_url: add it",
            "the secret lokryn/ducklake/config lacks aws_region: add it");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"postgres_host\": {\"a\": \"canary-7f3a\"} | postgres_host | a JSON object",
        "\"postgres_host\": [\"canary-7f3a\"] | postgres_host | a JSON array",
        "\"postgres_host\": null | postgres_host | null",
        "\"postgres_port\": 5432.5 | postgres_port | a number with a fraction",
        "\"postgres_port\": \"canary-7f3a\" | postgres_port | is a number from 1 to 65535",
        "\"postgres_prot\": 1 | postgres_prot | did you mean postgres_port?",
        "\"canary-7f3a canary\": 1 | (a name of 18 characters) | did you mean",
        "\"ducklake_secret_id\": \"canary-7f3a\" | ducklake_secret_id | take it out",
        "\"postgres_host\": \"\" | postgres_host | is empty",
      })
  void whatCannotBeTakenIsNamed(String entry, String key, String sentence) {
    String json = SECRET.replace("}", ", " + entry + "}");
    assertThat(refused(secret(json), Map.of()).problems())
        .singleElement()
        .asString()
        .contains(key, sentence, "the secret lokryn/ducklake/config");
  }

  @Test
  void aRequiredKeyOfTheWrongTypeIsNotAlsoMissing() {
    String json = SECRET.replace("\"su\"", "[\"canary-7f3a\"]");
    assertThat(refused(secret(json), VARIABLES).problems())
        .singleElement()
        .asString()
        .contains("postgres_user (from the secret");
  }

  @Test
  void aPasswordOfDigitsKeepsThem() throws Exception {
    String digits = "12345678901234567890123456789";
    ServerConfig config = read(secret(SECRET.replace("\"canary-7f3a\"", digits)), Map.of());
    assertThat(config.get(Settings.POSTGRES_PASSWORD).reveal()).isEqualTo(digits);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "other/name",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other/name-AbCdEf"
      })
  void theSecretsNameComesFromTheEnvironment(String id) throws Exception {
    read(secret(SECRET), Map.of("DUCKLAKE_SECRET_ID", id));
    assertThat(asked).containsExactly(id);
  }

  @Test
  void theSecretsNameOnTheCommandLineGoesFirst() throws Exception {
    new Cascade(secret(SECRET), Map.of("DUCKLAKE_SECRET_ID", "a"), lines::add)
        .read(Map.of("ducklake_secret_id", "b"), Optional.empty());
    assertThat(asked).containsExactly("b");
  }

  @Test
  void aBadNameOfTheSecretIsReportedWithTheRest() {
    assertThat(
            refused(
                    secret(SECRET),
                    Map.of("DUCKLAKE_SECRET_ID", "not a name", "FLIGHT_PORT", "many"))
                .problems())
        .hasSize(2)
        .anySatisfy(
            p -> assertThat(p).contains("ducklake_secret_id (from the environment as DUCK"));
    assertThat(asked).isEmpty();
  }

  @Test
  void aFileWithRequiredKeysIsTheSource() throws Exception {
    Path file = file(SECRET_PROPERTIES);
    ServerConfig config =
        new Cascade(secret(SECRET), VARIABLES, lines::add).read(Map.of(), Optional.of(file));
    assertThat(config.get(Settings.POSTGRES_USER)).isEqualTo("fu");
    assertThat(config.get(Settings.POSTGRES_PASSWORD).reveal()).isEqualTo(CANARY);
    assertThat(asked).isEmpty();
    assertThat(lines)
        .containsExactly(
            "Attempting to load config from " + file + "...",
            "✓ Configuration loaded from " + file);
  }

  @Test
  void aFileWithSomeRequiredKeysMustHaveAll() throws Exception {
    Path file = file("postgres_user=fu\nPOSTGRES_DB=fdb\n");
    ConfigException thrown =
        catchThrowableOfType(
            ConfigException.class,
            () ->
                new Cascade(secret(SECRET), VARIABLES, lines::add)
                    .read(Map.of("aws_region", "eu-west-1"), Optional.of(file)));
    assertThat(thrown.problems())
        .containsExactlyInAnyOrder(
            file + " has the key POSTGRES_DB: keys are in lower case, write postgres_db",
            file + " lacks postgres_password: add it",
            file + " lacks s3_bucket_url: add it");
    assertThat(asked).isEmpty();
  }

  @Test
  void aFileWithoutRequiredKeysGoesBeforeTheSecret() throws Exception {
    String json = SECRET.replace("}", ", \"threads\": 3, \"postgres_port\": 6543}");
    ServerConfig config =
        new Cascade(secret(json), Map.of(), lines::add)
            .read(Map.of(), Optional.of(file("threads=4\n")));
    assertThat(config.find(Settings.THREADS)).contains(4);
    assertThat(config.get(Settings.POSTGRES_PORT)).isEqualTo(6543);
    assertThat(lines).containsExactly(ASKING, FROM_SECRET);
  }

  @Test
  void aFileWithProblemsIsReportedBeforeAnySourceIsAsked() throws Exception {
    Path file = file("postgres_usr=fu\n");
    for (Path path : List.of(file, directory.resolve("none"))) {
      ConfigException thrown =
          catchThrowableOfType(
              ConfigException.class,
              () ->
                  new Cascade(secret(SECRET), Map.of("THREADS", "many"), lines::add)
                      .read(Map.of(), Optional.of(path)));
      assertThat(thrown.problems()).hasSize(2).anyMatch(p -> p.contains(path.toString()));
    }
    assertThat(asked).isEmpty();
    assertThat(lines).isEmpty();
  }

  @Test
  void theCommandLineGoesBeforeEachSource() throws Exception {
    ServerConfig config =
        new Cascade(secret(SECRET), Map.of(), lines::add)
            .read(Map.of("postgres_db", "cdb"), Optional.empty());
    assertThat(config.get(Settings.POSTGRES_DB)).isEqualTo("cdb");
    assertThat(config.get(Settings.POSTGRES_USER)).isEqualTo("su");
  }

  private static final String SECRET_PROPERTIES =
      """
      postgres_user=fu
      postgres_password=canary-7f3a
      postgres_db=fdb
      s3_bucket_url=s3://file-bucket
      aws_region=eu-west-1
      """;

  private Path file(String text) throws Exception {
    return Files.writeString(directory.resolve("settings.properties"), text);
  }

  private ServerConfig read(SecretSource secrets, Map<String, String> environment)
      throws ConfigException, StartException {
    return new Cascade(secrets, environment, lines::add).read(Map.of(), Optional.empty());
  }

  /** Reads what must be refused, with nothing of the secret in what is thrown. */
  private ConfigException refused(SecretSource secrets, Map<String, String> environment) {
    ConfigException thrown =
        catchThrowableOfType(ConfigException.class, () -> read(secrets, environment));
    var trace = new StringWriter();
    thrown.printStackTrace(new PrintWriter(trace));
    assertThat(trace.toString() + thrown.problems()).doesNotContain(CANARY);
    return thrown;
  }

  private SecretSource secret(String json) {
    return id -> {
      asked.add(id);
      return new SecretSource.Found(new SecretText(json));
    };
  }

  private static SecretSource notAccessible() {
    return _ ->
        new SecretSource.NotAccessible(
            StartProblem.Kind.PERMISSION,
            "AccessDeniedException: no",
            "add secretsmanager:GetSecretValue");
  }
}
