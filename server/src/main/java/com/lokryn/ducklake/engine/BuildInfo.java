package com.lokryn.ducklake.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The versions this build is made of; the build writes them. */
public final class BuildInfo {
  private static final Properties PROPERTIES = load();

  public static final String VERSION = PROPERTIES.getProperty("version");
  public static final String DUCKDB_VERSION = PROPERTIES.getProperty("duckdb");
  public static final String ARROW_VERSION = PROPERTIES.getProperty("arrow");

  private BuildInfo() {}

  private static Properties load() {
    try (InputStream in = BuildInfo.class.getResourceAsStream("/ducklake-flight.properties")) {
      var properties = new Properties();
      properties.load(java.util.Objects.requireNonNull(in, "the build wrote no versions"));
      return properties;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
