package org.duckdb;

/**
 * Takes the place of the driver's class of this name, being before it on the class path, and does
 * nothing. The driver's registers an event with the Flight Recorder as soon as it is loaded, and to
 * know of an event the virtual machine sets the recorder up: a tenth of the time until the server
 * listens. Only connections that are opened with {@code jdbc_jfr_memory_monitor} would be seen in
 * the event, and the server opens none.
 */
final class JfrMemoryMonitor {
  private JfrMemoryMonitor() {}

  static void init() {}

  static void connectionOpened(DuckDBConnection connection) {}

  static void connectionClosed(long databaseAddress) {}
}
