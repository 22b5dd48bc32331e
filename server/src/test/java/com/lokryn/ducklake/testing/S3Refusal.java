package com.lokryn.ducklake.testing;

/** An error in S3's form. */
final class S3Refusal extends Exception {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final String code;
  private final String details;

  /**
   * @param details further elements, in XML
   */
  S3Refusal(int status, String code, String message, String details) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  /** A permission is missing; S3 puts its own ARNs into quotes, but not those of keys. */
  static S3Refusal denied(IamRequest request, IamVerdict verdict) {
    return new S3Refusal(403, "AccessDenied", deniedText(request, verdict), "");
  }

  static String deniedText(IamRequest request, IamVerdict verdict) {
    String resource =
        request.action().startsWith("s3:") ? "\"" + request.resource() + "\"" : request.resource();
    return IamCaller.refusal(request.action(), resource, verdict);
  }

  int status() {
    return status;
  }

  String xml() {
    return ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code>"
            + "<Message>%s</Message>%s<RequestId>0</RequestId><HostId>0</HostId></Error>")
        .formatted(code, escaped(String.valueOf(getMessage())), details);
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
