/** Query ids, the log and what must not be in it, and whether the server is ready. */
@NullMarked
package com.lokryn.ducklake.observe;

import org.jspecify.annotations.NullMarked;
