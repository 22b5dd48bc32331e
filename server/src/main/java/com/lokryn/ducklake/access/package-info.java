/** Who a client is, and the role it has. */
@NullMarked
package com.lokryn.ducklake.access;

import org.jspecify.annotations.NullMarked;
