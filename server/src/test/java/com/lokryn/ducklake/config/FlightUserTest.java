package com.lokryn.ducklake.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.lokryn.ducklake.access.Grants;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.config.FlightUser.Form;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlightUserTest {
  private static final String BCRYPT =
      "$2b$10$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234";
  private static final String ARGON2ID =
      "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

  @Test
  void readsUsers() {
    var users =
        Settings.FLIGHT_USERS.read(
            """
            [{"name": "ana", "password_hash": "%s", "role": "reader"},
             {"name": "bo", "password_hash": "%s", "role": "writer"},
             {"name": "cy", "password": "in clear", "role": "admin"},
             {"name": "di", "role": "reader", "grants": {"main.t": "select|insert"}}]"""
                .formatted(BCRYPT, ARGON2ID));
    assertThat(users).extracting(FlightUser::name).containsExactly("ana", "bo", "cy", "di");
    assertThat(users)
        .extracting(FlightUser::role)
        .containsExactly(Role.READER, Role.WRITER, Role.ADMIN, Role.READER);
    assertThat(users)
        .extracting(FlightUser::form)
        .containsExactly(Form.BCRYPT, Form.ARGON2ID, Form.CLEAR, Form.NONE);
    assertThat(users.getFirst().grants()).isEmpty();
    assertThat(users.getLast().grants()).contains(Grants.parse(Map.of("main.t", "select|insert")));
    assertThat(users.toString()).doesNotContain("in clear", BCRYPT, ARGON2ID);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "no json|not valid JSON",
        "[]|not a JSON array of users",
        "{\"name\": \"a\"}|not a JSON array of users",
        "[1]|user 1 is not a JSON object",
        "[{\"name\": \"a\", \"role\": \"reader\", \"password\": \"pw-x\", \"password_hash\": \"pw-x\"}]|user 1 needs one of password_hash and password, not both",
        "[{\"name\": \"a\", \"password\": \"pw-x\", \"role\": \"reader\", \"grants\": {\"pw-x\": \"select\"}}]|neither schema.table nor schema.*",
        "[{\"name\": \"a\", \"password\": \"pw-x\", \"role\": \"reader\", \"grants\": {\"main.t\": \"pw-x\"}}]|none of select, insert, update, delete, alter, all",
        "[{\"name\": \"a\", \"password\": \"pw-x\", \"role\": \"reader\", \"grants\": {\"main.t\": 1}}]|user 1 has grants that are not written as",
        "[{\"name\": \"a\", \"password\": \"pw-x\", \"role\": \"reader\", \"grants\": \"pw-x\"}]|user 1 has grants that are not written as",
        "[{\"name\": \"a\", \"password\": \"pw-x\", \"role\": \"reader\", \"grants\": null}]|user 1 has grants that are not written as",
        "[{\"name\": \"a\", \"password\": \"pw-x\", \"role\": \"boss\"}]|none of reader, writer, admin",
        "[{\"name\": \"a\", \"password_hash\": \"pw-x\", \"role\": \"admin\"}]|neither bcrypt nor argon2id",
        "[{\"name\": \"a\", \"password\": \"pw-x\", \"role\": \"admin\", \"rule\": \"x\"}]|has a key that is none of",
        "[{\"name\": \"a:b\", \"password\": \"pw-x\", \"role\": \"admin\"}]|has a colon in its name",
        "[{\"name\": \"\", \"password\": \"pw-x\", \"role\": \"admin\"}]|needs a text as name",
        "[{\"name\": \"a\", \"password\": \"x\", \"role\": \"admin\"}, {\"name\": \"a\", \"password\": \"x\", \"role\": \"admin\"}]|user 2 has a name that an earlier one has",
      })
  void saysWhatIsWrongAndNothingOfThePassword(String text, String sentence) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Settings.FLIGHT_USERS.read(text))
        .withMessageContaining(sentence)
        .withMessageNotContaining("pw-x");
  }
}
