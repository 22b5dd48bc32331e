/**
 * A small Flight SQL client, which the commands `sql`, `ingest` and `health` use. It knows nothing
 * of the server.
 */
@NullMarked
package com.lokryn.ducklake.client;

import org.jspecify.annotations.NullMarked;
