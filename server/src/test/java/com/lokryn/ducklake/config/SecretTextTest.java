package com.lokryn.ducklake.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SecretTextTest {
  private static final String CANARY = "canary-7f3a";
  private static final SecretText SECRET = new SecretText(CANARY);

  @Test
  void givesItsTextToWhoAsks() {
    assertThat(SECRET.reveal()).isEqualTo(CANARY);
  }

  @Test
  void noTextOfItShowsIt() throws Exception {
    record Holder(SecretText password) {}
    var everything = new ObjectMapper().setVisibility(PropertyAccessor.FIELD, Visibility.ANY);
    assertThat(
            List.of(
                SECRET.toString(),
                "%s %10S".formatted(SECRET, SECRET),
                "" + Optional.of(SECRET) + List.of(SECRET),
                new Holder(SECRET).toString(),
                new ObjectMapper().writeValueAsString(Map.of("password", SECRET)),
                everything.writeValueAsString(new Holder(SECRET)),
                Integer.toString(SECRET.hashCode())))
        .allSatisfy(text -> assertThat(text).doesNotContainIgnoringCase("canary"))
        .noneMatch(text -> text.contains(Integer.toString(CANARY.hashCode())));
  }

  @Test
  void equalTextsAreEqual() {
    assertThat(SECRET).isEqualTo(new SecretText(CANARY)).hasSameHashCodeAs(new SecretText(CANARY));
    assertThat(SECRET).isNotEqualTo(new SecretText("other")).isNotEqualTo(CANARY);
  }
}
