package com.lokryn.ducklake.config;

import java.util.List;

/** Everything that is wrong with the configuration, reported together. */
public final class ConfigException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient List<String> problems;

  public ConfigException(List<String> problems) {
    super(String.join("\n", problems));
    this.problems = List.copyOf(problems);
  }

  /** One sentence a problem; each names the key and where it was read. */
  public List<String> problems() {
    return problems;
  }
}
