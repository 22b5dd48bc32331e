package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.query.Cancellation;
import com.lokryn.ducklake.query.Session;

/** One request: whose it is, and how it is ended early. */
record Call(Session session, Cancellation cancellation) {}
