/** Keeping a lake small and quick: what is done to it, in which order, and by whom. */
@NullMarked
package com.lokryn.ducklake.lake.maintenance;

import org.jspecify.annotations.NullMarked;
