package com.lokryn.ducklake.engine;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where unqualified names are looked up first. */
public record Namespace(String catalog, String schema) {
  public Namespace {
    Objects.requireNonNull(catalog);
    Objects.requireNonNull(schema);
  }

  // Written out because it is asked for while the server starts: what a record has of its own is
  // put together at the first call, in ten times as long as opening the connection takes.

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Namespace(String otherCatalog, String otherSchema)
        && catalog.equals(otherCatalog)
        && schema.equals(otherSchema);
  }

  @Override
  public int hashCode() {
    return 31 * catalog.hashCode() + schema.hashCode();
  }
}
