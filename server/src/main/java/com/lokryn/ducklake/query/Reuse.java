package com.lokryn.ducklake.query;

import com.lokryn.ducklake.cache.CacheKey;
import com.lokryn.ducklake.cache.ResultCache;
import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.gate.Gate;
import com.lokryn.ducklake.query.Scope.Sight;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** Which statements are answered from the cache of results, and whose results go there. */
final class Reuse {
  private final ResultCache cache;

  Reuse(ResultCache cache) {
    this.cache = cache;
  }

  /**
   * What the result of a call is a function of; empty where it may be another one each time.
   *
   * @param sight what its transaction sees, or will see
   */
  Optional<CacheKey> key(Call call, Optional<Sight> sight) {
    return call.source() == ResultSource.ANY && !call.parameters().isMany()
        ? key(call.session(), call.namespace(), call.admitted(), call.parameters().first(), sight)
        : Optional.empty();
  }

  /**
   * The key of a statement without parameters.
   *
   * @param sight what its transaction sees, or will see
   */
  Optional<CacheKey> key(
      Session session, Namespace namespace, Admitted admitted, Optional<Sight> sight) {
    return key(session, namespace, admitted, List.of(), sight);
  }

  private Optional<CacheKey> key(
      Session session,
      Namespace namespace,
      Admitted admitted,
      List<@Nullable Object> parameters,
      Optional<Sight> sight) {
    if (!isWanted(session)) {
      return Optional.empty();
    }
    String sql = admitted.text().sql();
    if (Gate.isConstant(admitted.statement())) {
      return CacheKey.of(sql, namespace, parameters, OptionalLong.empty());
    }
    return sight
        .filter(seen -> Gate.isStable(admitted.statement(), seen.objects()))
        .flatMap(seen -> CacheKey.of(sql, namespace, parameters, OptionalLong.of(seen.snapshot())));
  }

  private boolean isWanted(Session session) {
    // Temporary objects may stand before those of the lake.
    return cache.isOn() && session.usesCache() && !session.hasState() && !session.isClosed();
  }

  /** The key of a statement without parameters that looks at nothing in the lake, if it is one. */
  Optional<CacheKey> constantKey(Session session, Namespace namespace, Admitted admitted) {
    return key(session, namespace, admitted, Optional.empty());
  }

  Optional<BatchStream> find(CacheKey key) {
    return cache.find(key);
  }

  /** The schema of what {@link #find} would find. */
  Optional<Schema> schema(CacheKey key) {
    return cache.schema(key);
  }

  /**
   * Has the result of a call kept when it is read to its end, if it has a key.
   *
   * @param began when it was begun, in nanoseconds of {@link System#nanoTime}
   */
  BatchStream keeping(Optional<CacheKey> key, Call call, long began, BatchStream stream) {
    return key.map(
            known ->
                cache.record(
                    known,
                    stream,
                    System.nanoTime() - began,
                    () -> !call.cancellation().isCancelled()))
        .orElse(stream);
  }
}
