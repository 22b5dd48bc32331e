/**
 * DuckDB behind an interface of its own: connections, statements, batches, errors. It knows neither
 * gRPC nor Flight.
 */
@NullMarked
package com.lokryn.ducklake.engine;

import org.jspecify.annotations.NullMarked;
