/**
 * What a statement is and needs, read from its text before the engine sees it: its kind, and what
 * it calls, reads and writes, also by the views and macros that it uses. What is not known to be
 * harmless is refused.
 */
@NullMarked
package com.lokryn.ducklake.gate;

import org.jspecify.annotations.NullMarked;
