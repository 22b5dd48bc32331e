/** The program. Its packages use each other in one direction only; a test holds the order. */
@NullMarked
package com.lokryn.ducklake;

import org.jspecify.annotations.NullMarked;
