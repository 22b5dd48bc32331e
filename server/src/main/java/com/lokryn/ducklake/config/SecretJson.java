package com.lokryn.ducklake.config;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the JSON of a secret. Nothing that it says holds a value of the secret. */
final class SecretJson {
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  // Jackson's own texts and exceptions would carry the secret.
                  .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private SecretJson() {}

  /** The settings of a secret, or nothing where it is no JSON object: the problems say why. */
  static Optional<SettingTexts> read(String place, SecretText secret, List<String> problems) {
    JsonNode root;
    try {
      root = MAPPER.readTree(secret.reveal());
    } catch (JsonProcessingException e) {
      problems.add(
          "%s is not valid JSON%s: store an object such as {\"postgres_user\": \"…\"}, with each key once"
              .formatted(place, position(e.getLocation())));
      return Optional.empty();
    }
    if (root == null || !root.isObject()) {
      problems.add(
          "%s is not a JSON object: store one such as {\"postgres_user\": \"…\"}".formatted(place));
      return Optional.empty();
    }
    Map<String, String> texts = new LinkedHashMap<>();
    var faulty = new HashSet<String>();
    for (Map.Entry<String, JsonNode> entry : root.properties()) {
      JsonNode value = entry.getValue();
      // A number with a fraction or an exponent does not keep the digits that were written.
      boolean readable = value.isTextual() || value.isIntegralNumber() || value.isBoolean();
      if (!readable && SettingTexts.keyProblem(entry.getKey(), place).isEmpty()) {
        problems.add(
            "%s (from %s) is %s: write it as a text in quotes"
                .formatted(entry.getKey(), place, name(value)));
        faulty.add(entry.getKey());
      } else {
        texts.put(entry.getKey(), readable ? value.asText() : "");
      }
    }
    return Optional.of(SettingTexts.secret(texts, faulty, place, problems));
  }

  private static String name(JsonNode value) {
    return switch (value.getNodeType()) {
      case OBJECT -> "a JSON object";
      case ARRAY -> "a JSON array";
      case NULL -> "null";
      case NUMBER -> "a number with a fraction";
      case BINARY, BOOLEAN, MISSING, POJO, STRING -> "of a type that is not taken";
    };
  }

  private static String position(JsonLocation location) {
    return location == null
        ? ""
        : " (line %d, column %d)".formatted(location.getLineNr(), location.getColumnNr());
  }
}
