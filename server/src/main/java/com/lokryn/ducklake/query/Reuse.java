package com.lokryn.ducklake.query;

import com.lokryn.ducklake.cache.CacheKey;
import com.lokryn.ducklake.cache.ResultCache;
import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.gate.Gate;
import java.util.Optional;

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
    // Temporary objects may stand before those of the lake.
    boolean isWanted =
        cache.isOn()
            && call.session().usesCache()
            && !call.session().hasState()
            && !call.parameters().isMany();
    return isWanted
        ? scope
            .sight()
            .filter(sight -> Gate.isStable(call.admitted().statement(), sight.objects()))
            .flatMap(
                sight ->
                    CacheKey.of(
                        call.text().sql(),
                        call.namespace(),
                        call.parameters().first(),
                        sight.snapshot()))
        : Optional.empty();
  }

  Optional<BatchStream> find(CacheKey key) {
    return cache.find(key);
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
