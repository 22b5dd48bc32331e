package com.lokryn.ducklake.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a policy allows, and which text is none. */
class IamPolicyDocumentTest {
  private static final String BUCKET = "arn:aws:s3:::b";

  @ParameterizedTest
  @CsvSource({
    "s3:GetObject, s3:GetObject, ALLOWED",
    "s3:getobject, s3:GetObject, ALLOWED",
    "s3:Get*, s3:GetObject, ALLOWED",
    "s3:Get*, s3:PutObject, NOT_ALLOWED",
    "s3:?etObject, s3:GetObject, ALLOWED",
    "*, s3:GetObject, ALLOWED",
    "s3:GetObject, s3:GetObjectVersion, NOT_ALLOWED",
  })
  void actionsArePatterns(String pattern, String action, IamVerdict verdict) {
    assertThat(allowing(pattern, "*").judge(new IamRequest(action, BUCKET))).isEqualTo(verdict);
  }

  @ParameterizedTest
  @CsvSource({
    "arn:aws:s3:::b/data/*, arn:aws:s3:::b/data/x/y, ALLOWED",
    "arn:aws:s3:::b/data/*, arn:aws:s3:::b/other/x, NOT_ALLOWED",
    "arn:aws:s3:::b/data/*, arn:aws:s3:::b, NOT_ALLOWED",
    "arn:aws:s3:::b, arn:aws:s3:::b/data/x, NOT_ALLOWED",
    "arn:aws:s3:::B, arn:aws:s3:::b, NOT_ALLOWED",
    "arn:aws:s3:::b.c, arn:aws:s3:::bxc, NOT_ALLOWED",
    "arn:aws:m:r:1:secret:n-??????, arn:aws:m:r:1:secret:n-AbCdEf, ALLOWED",
    "arn:aws:m:r:1:secret:n-??????, arn:aws:m:r:1:secret:n-staging-AbCdEf, NOT_ALLOWED",
    "arn:aws:m:r:*:secret:n, arn:aws:m:r:1:secret:n, ALLOWED",
    "arn:aws:m:*:secret:n:x, arn:aws:m:r:1:secret:n:x, NOT_ALLOWED",
    "arn:aws:m:r:1:secret:*, n, NOT_ALLOWED",
    "*, n, ALLOWED",
  })
  void resourcesArePatterns(String pattern, String resource, IamVerdict verdict) {
    assertThat(allowing("m:Get", pattern).judge(new IamRequest("m:Get", resource)))
        .isEqualTo(verdict);
  }

  @ParameterizedTest
  @CsvSource({
    "StringLike, data/*, data/x, ALLOWED",
    "StringLike, data/*, other/x, NOT_ALLOWED",
    "StringLike, data/*, , NOT_ALLOWED",
    "StringEquals, data/, data/, ALLOWED",
    "StringEquals, data/*, data/x, NOT_ALLOWED",
  })
  void conditionsHold(String operator, String value, String prefix, IamVerdict verdict) {
    var policy =
        document(
            """
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*",
             "Condition": {"%s": {"s3:prefix": ["none", "%s"]}}}
            """
                .formatted(operator, value));
    Map<String, String> context = prefix == null ? Map.of() : Map.of("s3:prefix", prefix);
    assertThat(policy.judge(new IamRequest("s3:ListBucket", BUCKET, context))).isEqualTo(verdict);
  }

  @Test
  void allConditionsMustHold() {
    var policy =
        document(
            """
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
             "Condition": {
               "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"},
               "StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::b/*"}}}
            """);
    Map<String, String> here =
        Map.of(
            "kms:ViaService",
            "s3.eu-west-1.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn",
            "arn:aws:s3:::b/k");
    assertThat(policy.judge(new IamRequest("kms:Decrypt", "k", here)))
        .isEqualTo(IamVerdict.ALLOWED);
    Map<String, String> elsewhere = Map.of("kms:ViaService", "s3.eu-west-1.amazonaws.com");
    assertThat(policy.judge(new IamRequest("kms:Decrypt", "k", elsewhere)))
        .isEqualTo(IamVerdict.NOT_ALLOWED);
  }

  @Test
  void aDenialWins() {
    var policy =
        document(
            """
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}
            """);
    assertThat(policy.judge(new IamRequest("s3:PutObject", BUCKET + "/k")))
        .isEqualTo(IamVerdict.DENIED);
    assertThat(policy.judge(new IamRequest("s3:PutObject", BUCKET))).isEqualTo(IamVerdict.ALLOWED);
  }

  @Test
  void anActionIsTakenOutOfAllThatAllows() {
    var policy =
        document(
            """
            {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"},
            {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
            """);
    assertThat(policy.actions()).containsExactly("s3:PutObject", "s3:GetObject");
    var without = policy.without("s3:PutObject");
    assertThat(without.actions()).containsExactly("s3:GetObject");
    assertThat(without.judge(new IamRequest("s3:PutObject", BUCKET + "/k")))
        .isEqualTo(IamVerdict.NOT_ALLOWED);
    assertThat(without.judge(new IamRequest("s3:DeleteObject", BUCKET + "/k")))
        .isEqualTo(IamVerdict.DENIED);
    assertThat(without.without("s3:GetObject").actions()).isEmpty();
    assertThatIllegalArgumentException().isThrownBy(() -> policy.without("s3:DeleteObject"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'Action': 's3:GetObject', 'Resource': '*'}",
        "{'Effect': 'allow', 'Action': 's3:GetObject', 'Resource': '*'}",
        "{'Effect': 'Allow', 'NotAction': 's3:GetObject', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 's3:GetObject', 'NotResource': '*'}",
        "{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': '*', 'Principal': '*'}",
        "{'Effect': 'Allow', 'Action': 's3:GetObject'}",
        "{'Effect': 'Allow', 'Action': [], 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 'GetObject', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': 'b/*'}",
        "{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:b'}",
        "{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': 'arn:aws:s3:::${x}'}",
        "{'Sid': 'a b', 'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 's3:ListBucket', 'Resource': '*',"
            + " 'Condition': {'StringNotLike': {'s3:prefix': 'x'}}}",
        "{'Effect': 'Allow', 'Action': 's3:ListBucket', 'Resource': '*',"
            + " 'Condition': {'StringLike': {'s3:prefixes': 'x'}}}",
        "{'Effect': 'Allow', 'Action': 's3:ListBucket', 'Resource': '*',"
            + " 'Condition': {'StringLike': {'s3:prefix': []}}}",
        "{'Effect': 'Allow', 'Action': 's3:ListBucket', 'Resource': '*', 'Condition': []}",
        "{'Sid': 'A', 'Effect': 'Allow', 'Action': 's3:A', 'Resource': '*'},"
            + "{'Sid': 'A', 'Effect': 'Allow', 'Action': 's3:B', 'Resource': '*'}",
        "",
      })
  void whatIsNotKnownIsRefused(String statements) {
    assertThatIllegalArgumentException().isThrownBy(() -> document(statements.replace('\'', '"')));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "",
        "{",
        "{\"Version\": \"2012-10-17\"}",
        "{\"Version\": \"2008-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"*\","
            + " \"Resource\": \"*\"}]}",
      })
  void aDocumentHasAVersionAndStatements(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> IamPolicyDocument.parse(text));
  }

  private static IamPolicyDocument allowing(String action, String resource) {
    return document(
        "{\"Effect\": \"Allow\", \"Action\": \"%s\", \"Resource\": \"%s\"}"
            .formatted(action, resource));
  }

  private static IamPolicyDocument document(String statements) {
    return IamPolicyDocument.parse(
        "{\"Version\": \"2012-10-17\", \"Statement\": [%s]}".formatted(statements));
  }
}
