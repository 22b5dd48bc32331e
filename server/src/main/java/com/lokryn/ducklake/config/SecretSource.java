package com.lokryn.ducklake.config;

/** Where the secret with the configuration is kept. */
@FunctionalInterface
public interface SecretSource {
  /**
   * Asks for a secret; takes seconds at most where nobody answers.
   *
   * @param id its name or ARN
   */
  Answer read(String id);

  /** What came of asking. */
  sealed interface Answer {}

  /** The secret, as it was stored. */
  record Found(SecretText text) implements Answer {}

  /** There is a secret, but it holds bytes and no text. */
  record Binary() implements Answer {}

  /**
   * There is no such secret, and another source may be used.
   *
   * @param reason what happened, in the service's own words
   * @param remedy what makes the secret readable
   */
  record Absent(String reason, String remedy) implements Answer {}

  /**
   * It may not be read, or nobody answers: another source may be used.
   *
   * @param kind what has to be mended
   * @param reason what happened, in the service's own words
   * @param remedy what makes the secret readable
   */
  record NotAccessible(StartProblem.Kind kind, String reason, String remedy) implements Answer {}

  /** The service is there but does not work: another source must not be used. */
  record Failed(StartProblem problem) implements Answer {}
}
