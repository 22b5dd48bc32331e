package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.SecretText;

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
    int maxConnections) {}
