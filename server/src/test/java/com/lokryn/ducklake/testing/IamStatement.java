package com.lokryn.ducklake.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A statement of a policy. What it does not know it refuses: a part overlooked proves nothing. */
record IamStatement(
    String sid,
    boolean allows,
    List<String> actions,
    List<String> resources,
    List<Condition> conditions) {
  private static final Set<String> ELEMENTS =
      Set.of("Sid", "Effect", "Action", "Resource", "Condition");
  private static final Set<String> CONDITION_KEYS =
      Set.of(
          "s3:prefix",
          "kms:ViaService",
          "kms:EncryptionContext:aws:s3:arn",
          "kms:EncryptionContext:SecretARN");

  IamStatement {
    actions = List.copyOf(actions);
    resources = List.copyOf(resources);
    conditions = List.copyOf(conditions);
  }

  /** Holds if the request has the key, with one of the values. */
  record Condition(String operator, String key, List<String> values) {
    Condition {
      values = List.copyOf(values);
      require(CONDITION_KEYS.contains(key), "the condition key " + key + " is not known");
      require(
          operator.equals("StringLike") || operator.equals("StringEquals"),
          "the condition operator " + operator + " is not known");
    }

    private boolean holds(Map<String, String> context) {
      String actual = context.get(key);
      return actual != null
          && values.stream()
              .anyMatch(
                  value ->
                      operator.equals("StringLike")
                          ? IamPattern.matches(value, actual)
                          : value.equals(actual));
    }
  }

  static IamStatement of(JsonNode json) {
    requireElements(json, ELEMENTS);
    String sid = json.path("Sid").asText();
    require(sid.matches("[A-Za-z0-9]*"), "a Sid has letters and digits only: " + sid);
    String effect = json.path("Effect").asText();
    require(Set.of("Allow", "Deny").contains(effect), "Effect is neither Allow nor Deny: " + json);
    List<String> actions = strings(json.path("Action"));
    for (String action : actions) {
      require(action.matches("\\*|[a-z0-9-]+:[A-Za-z0-9*?]+"), "no action: " + action);
    }
    List<String> resources = strings(json.path("Resource"));
    for (String resource : resources) {
      require(IamPattern.isResource(resource), "neither an ARN nor *: " + resource);
    }
    return new IamStatement(
        sid, effect.equals("Allow"), actions, resources, conditions(json.path("Condition")));
  }

  private static List<Condition> conditions(JsonNode json) {
    require(json.isMissingNode() || json.isObject(), "Condition is no object: " + json);
    var conditions = new ArrayList<Condition>();
    for (var operator : json.properties()) {
      require(operator.getValue().isObject(), "a condition is no object: " + json);
      for (var key : operator.getValue().properties()) {
        conditions.add(new Condition(operator.getKey(), key.getKey(), strings(key.getValue())));
      }
    }
    return conditions;
  }

  /** A string, or a list of them. */
  private static List<String> strings(JsonNode json) {
    var strings = new ArrayList<String>();
    for (JsonNode one : json.isArray() ? json : List.of(json)) {
      require(one.isTextual(), "a string, or a list of them, is missing: " + json);
      require(!one.asText().contains("${"), "variables are not known: " + one);
      strings.add(one.asText());
    }
    require(!strings.isEmpty(), "a list is empty");
    return strings;
  }

  static void requireElements(JsonNode json, Set<String> known) {
    require(json.isObject(), "no object: " + json);
    for (var element : json.properties()) {
      require(known.contains(element.getKey()), "the element is not known: " + element.getKey());
    }
  }

  static void require(boolean condition, String problem) {
    if (!condition) {
      throw new IllegalArgumentException("this is no policy: " + problem);
    }
  }

  boolean matches(IamRequest request) {
    return actions.stream().anyMatch(one -> IamPattern.matchesAction(one, request.action()))
        && resources.stream().anyMatch(one -> IamPattern.matchesResource(one, request.resource()))
        && conditions.stream().allMatch(one -> one.holds(request.context()));
  }

  IamStatement without(String action) {
    return new IamStatement(
        sid,
        allows,
        actions.stream().filter(one -> !one.equals(action)).toList(),
        resources,
        conditions);
  }
}
