/** The server as a whole: its parts, made and taken down in order. */
@NullMarked
package com.lokryn.ducklake.app;

import org.jspecify.annotations.NullMarked;
