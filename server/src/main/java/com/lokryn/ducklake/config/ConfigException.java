package com.lokryn.ducklake.config;

import java.util.List;

/** Everything that is wrong with the configuration, reported together. */
public final class ConfigException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient List<String> problems;
  private final transient ServerConfig readable;

  /**
   * @param readable the settings that nothing is wrong with
   */
  ConfigException(List<String> problems, ServerConfig readable) {
    super(String.join("\n", problems));
    this.problems = List.copyOf(problems);
    this.readable = readable;
  }

  /** The settings that nothing is wrong with, for whoever looks at each for itself. */
  public ServerConfig readable() {
    return readable;
  }

  /** One sentence a problem; each names the key and where it was read. */
  public List<String> problems() {
    return problems;
  }
}
