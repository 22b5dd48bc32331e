package com.lokryn.ducklake.observe;

/**
 * All that is counted, from the start on and whether or not anybody looks.
 *
 * @param usage what clients have had
 * @param queries statements
 * @param refusals limits that clients met
 * @param errors of the engine
 * @param dependencies catalog and S3
 * @param credentials of the process
 */
public record Numbers(
    Usage usage,
    QueryNumbers queries,
    Counts<Limit> refusals,
    EngineErrors errors,
    DependencyTimes dependencies,
    CredentialAge credentials) {
  /**
   * Nothing so far.
   *
   * @param errors all kinds of errors of the engine
   */
  public static Numbers none(EngineErrors errors) {
    return new Numbers(
        new Usage(),
        new QueryNumbers(),
        new Counts<>(Limit.class),
        errors,
        new DependencyTimes(),
        new CredentialAge());
  }
}
