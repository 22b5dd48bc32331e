package com.lokryn.ducklake.engine;

import java.util.Objects;

/** Where unqualified names are looked up first. */
public record Namespace(String catalog, String schema) {
  public Namespace {
    Objects.requireNonNull(catalog);
    Objects.requireNonNull(schema);
  }
}
