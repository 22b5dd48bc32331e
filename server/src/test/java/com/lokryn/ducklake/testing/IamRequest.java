package com.lokryn.ducklake.testing;

import java.util.Map;

/**
 * What a principal asks to do.
 *
 * @param action such as {@code s3:PutObject}
 * @param resource its ARN, or "*" for an action that has none
 * @param context the condition keys that this request has
 */
public record IamRequest(String action, String resource, Map<String, String> context) {
  public IamRequest {
    context = Map.copyOf(context);
  }

  public IamRequest(String action, String resource) {
    this(action, resource, Map.of());
  }
}
