package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.SecretText;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;

/**
 * The Postgres database with a lake's catalog.
 *
 * @param sslMode as libpq names it
 * @param maxConnections how many connections the engine may hold: each transaction of the lake has
 *     one as long as it lasts, and so has each result on its way
 */
public record PostgresCatalog(
    String host,
    int port,
    String database,
    String user,
    SecretText password,
    String sslMode,
    int maxConnections) {
  /** As the settings have it. */
  public static PostgresCatalog of(ServerConfig config, int maxConnections) {
    return new PostgresCatalog(
        config.get(Settings.POSTGRES_HOST),
        config.get(Settings.POSTGRES_PORT),
        config.get(Settings.POSTGRES_DB),
        config.get(Settings.POSTGRES_USER),
        config.get(Settings.POSTGRES_PASSWORD),
        config.get(Settings.POSTGRES_SSLMODE).libpqName(),
        maxConnections);
  }

  /** The same lake, by another way: as the settings have user, password, host and port now. */
  public PostgresCatalog by(ServerConfig config) {
    return new PostgresCatalog(
        config.get(Settings.POSTGRES_HOST),
        config.get(Settings.POSTGRES_PORT),
        database,
        config.get(Settings.POSTGRES_USER),
        config.get(Settings.POSTGRES_PASSWORD),
        sslMode,
        maxConnections);
  }
}
