package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.engine.Engine;
import com.lokryn.ducklake.engine.EngineException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections that an engine may have to a catalog in Postgres. DuckDB (1.5.5) never gets one
 * back that has gone under a transaction, and counts it for ever: for each, the pool takes one more
 * in its place. Thread-safe.
 */
final class CatalogPool {
  private static final Logger LOG = LoggerFactory.getLogger(CatalogPool.class);

  private final Engine engine;

  /** Those that are counted, and are there or can be. */
  private int connections;

  /**
   * @param connections that there may be at once
   */
  CatalogPool(Engine engine, int connections) {
    this.engine = engine;
    this.connections = connections;
  }

  /** One has gone. */
  synchronized void replaceOne() {
    connections++;
    try {
      engine.run(
          "FROM system.main.postgres_configure_pool(catalog_name='__ducklake_metadata_%s', max_connections=%d)"
              .formatted(LakeCatalog.NAME, connections));
    } catch (EngineException e) {
      LOG.debug("the pool of connections to Postgres stays as it is: {}", e.error());
    }
  }
}
