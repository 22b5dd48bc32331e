/** What a query is: sessions, prepared statements, results, how each of them ends. */
@NullMarked
package com.lokryn.ducklake.query;

import org.jspecify.annotations.NullMarked;
