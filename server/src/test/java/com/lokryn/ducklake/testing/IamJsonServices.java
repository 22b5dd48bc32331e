package com.lokryn.ducklake.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The services that speak JSON, before which policies are enforced. */
final class IamJsonServices {
  private static final String JSON = "application/x-amz-json-1.1";
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final HttpForwarder forwarder;
  private final URI target;

  /** A call, by the name that policies have for it. */
  private record Call(HttpExchange exchange, IamCaller caller, String operation, String body) {
    String action() {
      return caller.service() + ":" + operation;
    }

    /** A member of the request; empty where there is none. */
    String member(String name) throws IOException {
      return MAPPER.readTree(body).path(name).asText();
    }
  }

  /** An error in the form of these services. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;
    private final String code;

    Refusal(String code, String message) {
      super(message);
      this.code = code;
    }
  }

  IamJsonServices(HttpForwarder forwarder, URI target) {
    this.forwarder = forwarder;
    this.target = target;
  }

  /**
   * Answers a request.
   *
   * @param metering where the metering service is
   * @param secretsKey the ARN of the key that secrets are encrypted with, if they are with one
   */
  void handle(
      HttpExchange exchange, IamCaller caller, Optional<URI> metering, Optional<String> secretsKey)
      throws IOException {
    String asked =
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("X-Amz-Target")).orElse("");
    String body = new String(HttpForwarder.held(exchange), StandardCharsets.UTF_8);
    var call = new Call(exchange, caller, asked.substring(asked.lastIndexOf('.') + 1), body);
    try {
      if (caller.policy().isEmpty()) {
        throw new Refusal(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.");
      }
      URI to =
          switch (caller.service()) {
            case "secretsmanager" -> secret(call, secretsKey);
            case "aws-marketplace" -> metering(call, metering);
            case "kms" -> key(call);
            default ->
                throw new Refusal(
                    "UnknownService",
                    "nothing here enforces policies of the service " + caller.service());
          };
      HttpForwarder.answer(
          exchange,
          forwarder.forward(exchange, to, body.getBytes(StandardCharsets.UTF_8), Set.of()));
    } catch (Refusal e) {
      refuse(exchange, e.code, String.valueOf(e.getMessage()));
    }
  }

  static void refuse(HttpExchange exchange, String code, String message) throws IOException {
    exchange.getResponseHeaders().set("x-amzn-ErrorType", code);
    byte[] body = MAPPER.writeValueAsBytes(Map.of("__type", code, "Message", message));
    HttpForwarder.answer(exchange, 400, JSON, body);
  }

  private URI secret(Call call, Optional<String> key) throws IOException, Refusal {
    String id = call.member("SecretId");
    Optional<String> arn = id.isEmpty() ? Optional.empty() : secretArn(call, id);
    // A secret that is not there has no ARN, so that only a policy for "*" covers it.
    String resource = arn.orElse(id.isEmpty() ? "*" : id);
    require(call.caller(), new IamRequest(call.action(), resource), id.isEmpty() ? "*" : id);
    if (key.isPresent() && arn.isPresent() && call.operation().equals("GetSecretValue")) {
      var decrypt =
          new IamRequest(
              "kms:Decrypt",
              key.get(),
              Map.of(
                  "kms:ViaService",
                  "secretsmanager.%s.amazonaws.com".formatted(call.caller().region()),
                  "kms:EncryptionContext:SecretARN",
                  arn.get()));
      if (call.caller().judge(decrypt) != IamVerdict.ALLOWED) {
        throw new Refusal("AccessDeniedException", "Access to KMS is not allowed");
      }
    }
    return target;
  }

  /** Names and ARNs without the six characters at their end become whole. */
  private Optional<String> secretArn(Call call, String id) throws IOException {
    var question =
        HttpRequest.newBuilder(target)
            .header("Content-Type", JSON)
            .header("X-Amz-Target", "secretsmanager.DescribeSecret")
            .POST(BodyPublishers.ofByteArray(MAPPER.writeValueAsBytes(Map.of("SecretId", id))));
    try (InputStream body = forwarder.ask(call.exchange(), question).body()) {
      JsonNode answer = MAPPER.readTree(body);
      return Optional.ofNullable(answer.get("ARN")).map(JsonNode::asText);
    }
  }

  private static URI metering(Call call, Optional<URI> metering) throws Refusal {
    require(call.caller(), new IamRequest(call.action(), "*"), "*");
    return metering.orElseThrow(
        () -> new Refusal("UnknownService", "there is no metering service here"));
  }

  private URI key(Call call) throws IOException, Refusal {
    String id = call.member("KeyId");
    String resource = id.isEmpty() ? "*" : id;
    require(call.caller(), new IamRequest(call.action(), resource), resource);
    return target;
  }

  /**
   * Judges a request.
   *
   * @param named the resource, as the caller named it
   */
  private static void require(IamCaller caller, IamRequest request, String named) throws Refusal {
    IamVerdict verdict = caller.judge(request);
    if (verdict != IamVerdict.ALLOWED) {
      throw new Refusal(
          "AccessDeniedException", IamCaller.refusal(request.action(), named, verdict));
    }
  }
}
