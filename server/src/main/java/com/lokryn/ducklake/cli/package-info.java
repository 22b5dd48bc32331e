/** The commands of the program, one class each, and how they may end. */
@NullMarked
package com.lokryn.ducklake.cli;

import org.jspecify.annotations.NullMarked;
