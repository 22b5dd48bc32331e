/** Query ids, the log, and what must not be in it. */
@NullMarked
package com.lokryn.ducklake.observe;

import org.jspecify.annotations.NullMarked;
