/** Who clients are and how they show it: users and their passwords, and the certificates of TLS. */
@NullMarked
package com.lokryn.ducklake.auth;

import org.jspecify.annotations.NullMarked;
