package com.lokryn.ducklake.config;

import java.util.regex.Pattern;

/** What the texts of settings look like. */
final class ValueForms {
  static final Pattern NUMBER_UNIT = Pattern.compile("(\\d{1,15})\\s*([A-Za-z]*)");
  static final Pattern LINE_BREAK = Pattern.compile("[\\r\\n\\x00]");
  static final Pattern REGION = Pattern.compile("[a-z]{2,5}(-[a-z]{2,12}){1,2}-\\d{1,2}");
  static final Pattern ZONE = Pattern.compile(REGION.pattern() + "[a-z]");
  static final Pattern SECRET_NAME = Pattern.compile("[A-Za-z0-9/_+=.@!-]{1,512}");
  static final Pattern MARKETPLACE_NAME = Pattern.compile("[-a-zA-Z0-9/=:_.@]{1,255}");
  static final Pattern SECRET_ARN =
      Pattern.compile(
          "arn:aws[a-z-]*:secretsmanager:"
              + REGION.pattern()
              + ":\\d{12}:secret:"
              + SECRET_NAME.pattern());

  static final Pattern CLAIM = Pattern.compile("[^.\\s]+(\\.[^.\\s]+)*");
  static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[::1]");
  static final String KEYS_URL_EXPECTED =
      "write https://provider.example.com/.well-known/jwks.json";

  private ValueForms() {}
}
