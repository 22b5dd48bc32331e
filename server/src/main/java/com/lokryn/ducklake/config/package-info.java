/** The settings: one table, read from the command line, a file and the environment. */
@NullMarked
package com.lokryn.ducklake.config;

import org.jspecify.annotations.NullMarked;
