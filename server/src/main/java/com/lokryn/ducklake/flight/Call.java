package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.query.Cancellation;
import com.lokryn.ducklake.query.ResultSource;
import com.lokryn.ducklake.query.Session;
import java.util.Optional;

/** One request: whose it is, how it is ended early, and what its headers say. */
record Call(
    Session session,
    Cancellation cancellation,
    Optional<String> idempotencyKey,
    ResultSource source,
    boolean isOfJavaClient) {}
