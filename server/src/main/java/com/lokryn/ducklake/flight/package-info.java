/** The wire: Flight SQL requests become calls of the query package, results become batches. */
@NullMarked
package com.lokryn.ducklake.flight;

import org.jspecify.annotations.NullMarked;
