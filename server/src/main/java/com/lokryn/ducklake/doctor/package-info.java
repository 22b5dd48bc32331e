/** Self-tests: everything that the server needs, as a table that start, doctor and policy read. */
@NullMarked
package com.lokryn.ducklake.doctor;

import org.jspecify.annotations.NullMarked;
