package com.lokryn.ducklake.testing;

import com.lokryn.ducklake.testing.S3Request.Operation;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** S3 before which policies are enforced; all of its buckets are in one region. */
final class IamS3 {
  private static final String XML = "application/xml";
  private static final String GENERATE = "kms:GenerateDataKey";
  private static final String DECRYPT = "kms:Decrypt";
  private static final String ENCRYPTION = "X-amz-server-side-encryption";

  private static final Set<Operation> OF_CONTENT =
      EnumSet.of(
          Operation.PUT_OBJECT,
          Operation.CREATE_UPLOAD,
          Operation.UPLOAD_PART,
          Operation.COMPLETE_UPLOAD,
          Operation.GET_OBJECT,
          Operation.HEAD_OBJECT);

  private final HttpForwarder forwarder;
  private final URI target;
  private final String region;

  IamS3(HttpForwarder forwarder, URI target, String region) {
    this.forwarder = forwarder;
    this.target = target;
    this.region = region;
  }

  /**
   * Answers a request.
   *
   * @param key the ARN of the key that the buckets are encrypted with, if they are with one
   */
  void handle(HttpExchange exchange, IamCaller caller, Optional<String> key) throws IOException {
    S3Request request =
        S3Requests.of(
            exchange.getRequestMethod(),
            exchange.getRequestURI(),
            exchange.getRequestHeaders().keySet());
    try {
      checkSignature(exchange, caller, request);
      if (request.operation() == Operation.DELETE_OBJECTS) {
        deleteObjects(exchange, caller, request);
        return;
      }
      require(caller, request.access());
      for (String action : keyActions(request.operation())) {
        requireKey(caller, request, action, key);
      }
      answer(exchange, caller, request, key);
    } catch (S3Refusal e) {
      refuse(exchange, e);
    }
  }

  static void refuse(HttpExchange exchange, S3Refusal refusal) throws IOException {
    HttpForwarder.answer(
        exchange, refusal.status(), XML, refusal.xml().getBytes(StandardCharsets.UTF_8));
  }

  /** What S3 looks at before it asks for permissions. */
  private void checkSignature(HttpExchange exchange, IamCaller caller, S3Request request)
      throws IOException, S3Refusal {
    boolean onBucket = !request.bucket().isEmpty();
    boolean exists = onBucket && exists(exchange, request.bucket());
    if (exists) {
      exchange.getResponseHeaders().set("x-amz-bucket-region", region);
    }
    if (caller.policy().isEmpty()) {
      throw new S3Refusal(
          403,
          "InvalidAccessKeyId",
          "The AWS Access Key Id you provided does not exist in our records.",
          "");
    }
    if (onBucket && !exists) {
      throw new S3Refusal(
          404,
          "NoSuchBucket",
          "The specified bucket does not exist",
          "<BucketName>%s</BucketName>".formatted(S3Refusal.escaped(request.bucket())));
    }
    if (onBucket && !caller.region().equals(region)) {
      throw new S3Refusal(
          400,
          "AuthorizationHeaderMalformed",
          "The authorization header is malformed; the region '%s' is wrong; expecting '%s'"
              .formatted(caller.region(), region),
          "<Region>%s</Region>".formatted(region));
    }
  }

  private boolean exists(HttpExchange exchange, String bucket) throws IOException {
    var question =
        HttpRequest.newBuilder(target.resolve("/" + bucket))
            .method("HEAD", BodyPublishers.noBody());
    var response = forwarder.ask(exchange, question);
    try (InputStream _ = response.body()) {
      return response.statusCode() != 404;
    }
  }

  private static void require(IamCaller caller, IamRequest access) throws S3Refusal {
    if (access.action().equals(Operation.UNKNOWN.action())) {
      caller.refuse(access);
      throw S3Refusal.denied(access, IamVerdict.NOT_ALLOWED);
    }
    IamVerdict verdict = caller.judge(access);
    if (verdict != IamVerdict.ALLOWED) {
      throw S3Refusal.denied(access, verdict);
    }
  }

  /** What is needed of the bucket's key before S3 does anything. */
  private static List<String> keyActions(Operation operation) {
    return switch (operation) {
      case PUT_OBJECT -> List.of(GENERATE);
      case CREATE_UPLOAD, UPLOAD_PART -> List.of(GENERATE, DECRYPT);
      case COMPLETE_UPLOAD -> List.of(DECRYPT);
      case ABORT_UPLOAD,
          GET_OBJECT,
          HEAD_OBJECT,
          DELETE_OBJECT,
          DELETE_OBJECTS,
          LIST_OBJECTS,
          HEAD_BUCKET,
          LIST_UPLOADS,
          GET_LOCATION,
          GET_ENCRYPTION,
          UNKNOWN ->
          List.of();
    };
  }

  private void requireKey(IamCaller caller, S3Request request, String action, Optional<String> key)
      throws S3Refusal {
    if (key.isPresent()) {
      require(
          caller,
          new IamRequest(
              action,
              key.get(),
              Map.of(
                  "kms:ViaService",
                  "s3.%s.amazonaws.com".formatted(region),
                  "kms:EncryptionContext:aws:s3:arn",
                  request.arn())));
    }
  }

  private void answer(
      HttpExchange exchange, IamCaller caller, S3Request request, Optional<String> key)
      throws IOException, S3Refusal {
    if (request.operation() == Operation.GET_ENCRYPTION) {
      answerEncryption(exchange, key);
      return;
    }
    HttpResponse<InputStream> response = forwarder.forward(exchange, target);
    // Closing it twice does nothing; a refusal leaves it unread.
    try (InputStream _ = response.body()) {
      boolean read =
          EnumSet.of(Operation.GET_OBJECT, Operation.HEAD_OBJECT).contains(request.operation());
      if (read && response.statusCode() == 404) {
        // Who may not list shall not learn what is there. The question has no prefix.
        require(caller, new IamRequest("s3:ListBucket", request.bucketArn()));
      }
      if (response.statusCode() / 100 == 2) {
        if (request.operation() == Operation.GET_OBJECT) {
          requireKey(caller, request, DECRYPT, key);
        }
        if (OF_CONTENT.contains(request.operation())) {
          setEncryption(exchange, key);
        }
      }
      HttpForwarder.answer(exchange, response);
    }
  }

  private static void setEncryption(HttpExchange exchange, Optional<String> key) {
    var headers = exchange.getResponseHeaders();
    headers.set(ENCRYPTION, key.isPresent() ? "aws:kms" : "AES256");
    key.ifPresent(arn -> headers.set(ENCRYPTION + "-aws-kms-key-id", arn));
  }

  private static void answerEncryption(HttpExchange exchange, Optional<String> key)
      throws IOException {
    String rule =
        key.map(
                arn ->
                    "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>%s</KMSMasterKeyID>"
                        .formatted(arn))
            .orElse("<SSEAlgorithm>AES256</SSEAlgorithm>");
    String text =
        ("<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                + "<Rule><ApplyServerSideEncryptionByDefault>%s"
                + "</ApplyServerSideEncryptionByDefault></Rule>"
                + "</ServerSideEncryptionConfiguration>")
            .formatted(rule);
    HttpForwarder.answer(exchange, 200, XML, text.getBytes(StandardCharsets.UTF_8));
  }

  /** Each key is judged for itself: S3 deletes the others, and tells which it did not. */
  private void deleteObjects(HttpExchange exchange, IamCaller caller, S3Request request)
      throws IOException {
    byte[] body = HttpForwarder.held(exchange);
    var deletion = S3Deletion.parse(body);
    var errors = new StringBuilder();
    for (String key : deletion.keys()) {
      var access = new IamRequest(request.operation().action(), request.arn(key));
      IamVerdict verdict = caller.judge(access);
      if (verdict != IamVerdict.ALLOWED) {
        deletion.remove(key);
        errors.append(
            "<Error><Key>%s</Key><Code>AccessDenied</Code><Message>%s</Message></Error>"
                .formatted(
                    S3Refusal.escaped(key),
                    S3Refusal.escaped(S3Refusal.deniedText(access, verdict))));
      }
    }
    String result =
        deletion.keys().isEmpty()
            ? "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></DeleteResult>"
            : delete(exchange, errors.isEmpty() ? body : deletion.toBytes());
    HttpForwarder.answer(
        exchange,
        200,
        XML,
        result
            .replace("</DeleteResult>", errors + "</DeleteResult>")
            .getBytes(StandardCharsets.UTF_8));
  }

  private String delete(HttpExchange exchange, byte[] body) throws IOException {
    var response =
        forwarder.forward(exchange, target, body, Set.of("content-md5", "x-amz-checksum-"));
    try (InputStream answer = response.body()) {
      String text = new String(answer.readAllBytes(), StandardCharsets.UTF_8);
      if (response.statusCode() != 200 || !text.contains("</DeleteResult>")) {
        throw new IOException("moto did not delete: " + response.statusCode() + text);
      }
      return text;
    }
  }
}
