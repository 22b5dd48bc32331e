/** Who someone is, and what they may do. */
@NullMarked
package com.lokryn.ducklake.access;

import org.jspecify.annotations.NullMarked;
