/** DuckLake: attaching it, locking the engine down, opening it anew. */
@NullMarked
package com.lokryn.ducklake.lake;

import org.jspecify.annotations.NullMarked;
