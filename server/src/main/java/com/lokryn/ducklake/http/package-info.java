/** What operators and load balancers ask of the server over HTTP. */
@NullMarked
package com.lokryn.ducklake.http;

import org.jspecify.annotations.NullMarked;
