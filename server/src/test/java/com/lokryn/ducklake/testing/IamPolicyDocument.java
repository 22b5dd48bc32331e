package com.lokryn.ducklake.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A policy of a principal, judged as IAM does: all is denied that is not allowed. */
public final class IamPolicyDocument {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final List<IamStatement> statements;

  private IamPolicyDocument(List<IamStatement> statements) {
    this.statements = List.copyOf(statements);
  }

  /**
   * Reads a document.
   *
   * @throws IllegalArgumentException where IAM would not take it, or this class does not know
   *     something in it
   */
  public static IamPolicyDocument parse(String json) {
    try {
      JsonNode document = JSON.readTree(json);
      IamStatement.requireElements(document, Set.of("Version", "Statement"));
      IamStatement.require(
          document.path("Version").asText().equals("2012-10-17"), "Version is not 2012-10-17");
      JsonNode list = document.path("Statement");
      IamStatement.require(list.isArray() && !list.isEmpty(), "Statement is no list, or empty");
      var statements = new ArrayList<IamStatement>();
      var sids = new HashSet<String>();
      for (JsonNode one : list) {
        var statement = IamStatement.of(one);
        IamStatement.require(
            statement.sid().isEmpty() || sids.add(statement.sid()),
            "two statements have the Sid " + statement.sid());
        statements.add(statement);
      }
      return new IamPolicyDocument(statements);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("this is no policy: " + e.getOriginalMessage(), e);
    }
  }

  /** Of a principal without a policy. */
  public static IamPolicyDocument none() {
    return new IamPolicyDocument(List.of());
  }

  public IamVerdict judge(IamRequest request) {
    var effects =
        statements.stream()
            .filter(statement -> statement.matches(request))
            .map(IamStatement::allows)
            .collect(Collectors.toSet());
    if (effects.contains(false)) {
      return IamVerdict.DENIED;
    }
    return effects.contains(true) ? IamVerdict.ALLOWED : IamVerdict.NOT_ALLOWED;
  }

  /** What it allows, as it is written there, in its order. */
  public Set<String> actions() {
    return statements.stream()
        .filter(IamStatement::allows)
        .flatMap(statement -> statement.actions().stream())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /**
   * The same policy, in which no statement allows that action.
   *
   * @param action as it is written there; one that only a pattern allows cannot be taken out
   */
  public IamPolicyDocument without(String action) {
    if (!actions().contains(action)) {
      throw new IllegalArgumentException(action + " is not among " + actions());
    }
    return new IamPolicyDocument(
        statements.stream()
            .map(statement -> statement.allows() ? statement.without(action) : statement)
            .filter(statement -> !statement.actions().isEmpty())
            .toList());
  }

  /** Both policies, as a principal has them that is given two. */
  public IamPolicyDocument and(IamPolicyDocument other) {
    return new IamPolicyDocument(
        Stream.concat(statements.stream(), other.statements.stream()).toList());
  }
}
