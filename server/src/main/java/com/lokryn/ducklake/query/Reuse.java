package com.lokryn.ducklake.query;

import com.lokryn.ducklake.cache.CacheKey;
import com.lokryn.ducklake.cache.ResultCache;
import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.gate.Gate;
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
   * @param scope the statement's transaction, in which it was let pass
   */
  Optional<CacheKey> key(Call call, Scope scope) {
    return call.source() == ResultSource.ANY && !call.parameters().isMany()
        ? key(call.session(), call.namespace(), call.admitted(), call.parameters().first(), scope)
        : Optional.empty();
  }

  /**
   * The key of a statement without parameters.
   *
   * @param scope its transaction, in which it was let pass
   */
  Optional<CacheKey> key(Session session, Namespace namespace, Admitted admitted, Scope scope) {
    return key(session, namespace, admitted, List.of(), scope);
  }

  private Optional<CacheKey> key(
      Session session,
      Namespace namespace,
      Admitted admitted,
      List<@Nullable Object> parameters,
      Scope scope) {
    if (!isWanted(session)) {
      return Optional.empty();
    }
    String sql = admitted.text().sql();
    if (Gate.isConstant(admitted.statement())) {
      return CacheKey.of(sql, namespace, parameters, OptionalLong.empty());
    }
    return scope
        .sight()
        .filter(sight -> Gate.isStable(admitted.statement(), sight.objects()))
        .flatMap(
            sight -> CacheKey.of(sql, namespace, parameters, OptionalLong.of(sight.snapshot())));
  }

  private boolean isWanted(Session session) {
    // Temporary objects may stand before those of the lake.
    return cache.isOn() && session.usesCache() && !session.hasState() && !session.isClosed();
  }

  /** The key of a statement without parameters that looks at nothing in the lake, if it is one. */
  Optional<CacheKey> constantKey(Session session, Namespace namespace, Admitted admitted) {
    return key(session, namespace, admitted, Scope.none());
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
