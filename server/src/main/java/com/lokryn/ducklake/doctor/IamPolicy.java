package com.lokryn.ducklake.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.PrettyPrinter;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators.Spacing;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.lokryn.ducklake.aws.Permission;
import com.lokryn.ducklake.aws.PolicyScope;
import com.lokryn.ducklake.aws.PolicyStatement;
import com.lokryn.ducklake.aws.PolicyStatement.Role;
import java.util.List;

/** The policy document of a role: what the checks need and nothing else. */
public final class IamPolicy {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final ObjectWriter WRITER =
      JSON.writer(
          new DefaultPrettyPrinter()
              .withSeparators(
                  PrettyPrinter.DEFAULT_SEPARATORS.withObjectFieldValueSpacing(Spacing.AFTER))
              .withArrayIndenter(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE));

  private IamPolicy() {}

  /** The document, in lines. */
  public static String of(Role role, PolicyScope scope) {
    ObjectNode document = JSON.createObjectNode().put("Version", "2012-10-17");
    var statements = document.putArray("Statement");
    for (PolicyStatement statement : PolicyStatement.values()) {
      List<Permission> permissions = statement.permissions(scope);
      if (statement.role() == role && !permissions.isEmpty()) {
        statements.add(node(statement, permissions, scope));
      }
    }
    try {
      return WRITER.writeValueAsString(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ObjectNode node(
      PolicyStatement statement, List<Permission> permissions, PolicyScope scope) {
    ObjectNode node = JSON.createObjectNode().put("Sid", statement.sid()).put("Effect", "Allow");
    var actions = node.putArray("Action");
    permissions.forEach(permission -> actions.add(permission.action()));
    node.put("Resource", statement.resource(scope));
    statement
        .condition(scope)
        .ifPresent(
            condition ->
                node.putObject("Condition")
                    .putObject(condition.operator())
                    .put(condition.key(), condition.value()));
    return node;
  }
}
