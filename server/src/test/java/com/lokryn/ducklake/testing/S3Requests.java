package com.lokryn.ducklake.testing;

import com.lokryn.ducklake.testing.S3Request.Operation;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Tells what an HTTP request in path style asks of S3. */
final class S3Requests {
  /** Parameters on which no permission depends. */
  private static final Set<String> OPTIONS =
      Set.of(
          "continuation-token",
          "delimiter",
          "encoding-type",
          "fetch-owner",
          "key-marker",
          "list-type",
          "marker",
          "max-keys",
          "max-uploads",
          "prefix",
          "start-after",
          "upload-id-marker",
          "x-id");

  /** Headers that ask for more than the method does: copies, access lists, tags, locks. */
  private static final Set<String> FURTHER =
      Set.of("x-amz-acl", "x-amz-copy-", "x-amz-grant-", "x-amz-object-lock-", "x-amz-tagging");

  private S3Requests() {}

  static S3Request of(String method, URI uri, Collection<String> headers) {
    String[] parts = uri.getPath().substring(1).split("/", 2);
    String key = parts.length == 2 ? parts[1] : "";
    Map<String, String> parameters = parameters(uri.getRawQuery());
    var deciding = new TreeSet<>(parameters.keySet());
    deciding.removeAll(OPTIONS);
    String asked = method + deciding;
    Operation operation = key.isEmpty() ? ofBucket(asked) : ofObject(asked);
    boolean unknown = parts[0].isEmpty() || headers.stream().anyMatch(S3Requests::asksFurther);
    return new S3Request(
        unknown ? Operation.UNKNOWN : operation,
        parts[0],
        key,
        Optional.ofNullable(parameters.get("prefix")));
  }

  private static Operation ofObject(String asked) {
    return switch (asked) {
      case "PUT[]" -> Operation.PUT_OBJECT;
      case "POST[uploads]" -> Operation.CREATE_UPLOAD;
      case "PUT[partNumber, uploadId]" -> Operation.UPLOAD_PART;
      case "POST[uploadId]" -> Operation.COMPLETE_UPLOAD;
      case "DELETE[uploadId]" -> Operation.ABORT_UPLOAD;
      case "GET[]", "GET[partNumber]" -> Operation.GET_OBJECT;
      case "HEAD[]", "HEAD[partNumber]" -> Operation.HEAD_OBJECT;
      case "DELETE[]" -> Operation.DELETE_OBJECT;
      default -> Operation.UNKNOWN;
    };
  }

  private static Operation ofBucket(String asked) {
    return switch (asked) {
      case "GET[]" -> Operation.LIST_OBJECTS;
      case "HEAD[]" -> Operation.HEAD_BUCKET;
      case "POST[delete]" -> Operation.DELETE_OBJECTS;
      case "GET[uploads]" -> Operation.LIST_UPLOADS;
      case "GET[location]" -> Operation.GET_LOCATION;
      case "GET[encryption]" -> Operation.GET_ENCRYPTION;
      default -> Operation.UNKNOWN;
    };
  }

  private static boolean asksFurther(String header) {
    return FURTHER.stream().anyMatch(header.toLowerCase(Locale.ROOT)::startsWith);
  }

  private static Map<String, String> parameters(String query) {
    var parameters = new LinkedHashMap<String, String>();
    for (String one : query == null ? new String[0] : query.split("&")) {
      String[] parts = one.split("=", 2);
      parameters.put(decoded(parts[0]), parts.length == 2 ? decoded(parts[1]) : "");
    }
    parameters.remove("");
    return parameters;
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }
}
