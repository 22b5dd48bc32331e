package com.lokryn.ducklake.observe;

import java.util.Locale;

/** What a record of usage was answered with that was sent to AWS Marketplace. */
public enum MeteringResult {
  ACCEPTED,
  /** There was another one of the hour: it goes to the next. */
  TAKEN,
  /** No record of the hour is taken any more. */
  TOO_OLD,
  /** It is sent again. */
  UNAVAILABLE,
  /** It is sent again, which will not help before something is changed. */
  REFUSED;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** The name in metrics. */
  public String label() {
    return label;
  }
}
