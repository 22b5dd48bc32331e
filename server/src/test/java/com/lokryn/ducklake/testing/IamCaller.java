package com.lokryn.ducklake.testing;

import com.sun.net.httpserver.HttpExchange;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who sent a request, and what they may do, from the signature's credential scope. The signature
 * itself is not looked at.
 *
 * @param region that the request is signed for
 * @param service that the request is signed for
 * @param policy empty for a key that nobody has
 */
record IamCaller(
    String region,
    String service,
    Optional<IamPolicyDocument> policy,
    Consumer<IamDecision> decisions) {
  private static final String USER = "arn:aws:sts::123456789012:assumed-role/ducklake-task/test";

  private static final Pattern CREDENTIAL =
      Pattern.compile("Credential=([^/,]+)/\\d{8}/([^/,]+)/([^/,]+)/aws4_request");

  /** Nothing where the request is not signed. */
  static Optional<IamCaller> of(
      HttpExchange exchange,
      Function<String, Optional<IamPolicyDocument>> policies,
      Consumer<IamDecision> decisions) {
    String header =
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization")).orElse("");
    Matcher matcher = CREDENTIAL.matcher(header);
    return matcher.find()
        ? Optional.of(
            new IamCaller(
                matcher.group(2), matcher.group(3), policies.apply(matcher.group(1)), decisions))
        : Optional.empty();
  }

  IamVerdict judge(IamRequest request) {
    IamVerdict verdict = policy.orElseGet(IamPolicyDocument::none).judge(request);
    boolean allowed = verdict == IamVerdict.ALLOWED;
    decisions.accept(new IamDecision(request.action(), request.resource(), allowed));
    return verdict;
  }

  /** What no policy allows, because nobody here knows what it would need. */
  void refuse(IamRequest request) {
    decisions.accept(new IamDecision(request.action(), request.resource(), false));
  }

  /**
   * AWS's sentence.
   *
   * @param resource as the service names it
   */
  static String refusal(String action, String resource, IamVerdict verdict) {
    return "User: %s is not authorized to perform: %s on resource: %s %s"
        .formatted(USER, action, resource, verdict.reason(action));
  }
}
