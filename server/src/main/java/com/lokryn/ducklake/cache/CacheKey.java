package com.lokryn.ducklake.cache;

import com.lokryn.ducklake.engine.Namespace;
import java.math.BigDecimal;
import java.time.temporal.Temporal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What a result is a function of. Who asks is not in it: whether they may is found out before, each
 * time anew. Nor are settings, as a session that has some keeps nothing.
 *
 * @param namespace where names are looked up
 * @param parameters the values bound to the statement, which do not change
 * @param snapshot of the lake; empty for what looks at nothing in it
 */
public record CacheKey(
    String sql, Namespace namespace, List<@Nullable Object> parameters, OptionalLong snapshot) {
  /** The key, unless a value could change, or is none of those whose equality means the same. */
  public static Optional<CacheKey> of(
      String sql, Namespace namespace, List<@Nullable Object> parameters, OptionalLong snapshot) {
    return parameters.stream().allMatch(CacheKey::isValue)
        ? Optional.of(
            new CacheKey(
                sql,
                namespace,
                Collections.unmodifiableList(new ArrayList<>(parameters)),
                snapshot))
        : Optional.empty();
  }

  /** About what it takes on the heap, with the values. */
  long bytes() {
    long texts = 0;
    for (Object parameter : parameters) {
      texts += parameter instanceof String text ? text.length() : 16;
    }
    return 512 + 2 * (sql.length() + texts);
  }

  private static boolean isValue(@Nullable Object parameter) {
    return parameter == null
        || parameter instanceof String
        || parameter instanceof Boolean
        || parameter instanceof Byte
        || parameter instanceof Short
        || parameter instanceof Integer
        || parameter instanceof Long
        || parameter instanceof BigDecimal
        || parameter instanceof Temporal;
  }
}
