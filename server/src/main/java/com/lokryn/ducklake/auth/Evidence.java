package com.lokryn.ducklake.auth;

import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a call shows of who it comes from.
 *
 * @param authorization the header of that name, null for none
 * @param address where it comes from, null where that is not known
 * @param certificate that its connection was opened with
 */
public record Evidence(
    @Nullable String authorization,
    @Nullable InetAddress address,
    Optional<X509Certificate> certificate) {}
