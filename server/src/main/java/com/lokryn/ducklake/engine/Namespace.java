package com.lokryn.ducklake.engine;

import java.util.Objects;

/** Where unqualified names are looked up first. */
public record Namespace(String catalog, String schema) {
  public Namespace {
    Objects.requireNonNull(catalog);
    Objects.requireNonNull(schema);
  }

  public Namespace withCatalog(String other) {
    return new Namespace(other, schema);
  }

  public Namespace withSchema(String other) {
    return new Namespace(catalog, other);
  }
}
