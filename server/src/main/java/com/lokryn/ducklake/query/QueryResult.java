package com.lokryn.ducklake.query;

import org.apache.arrow.vector.types.pojo.Schema;

/**
 * What a ticket stands for until its client fetches it: an open result, or a change yet to make.
 */
public sealed interface QueryResult permits RunningQuery, PendingUpdate {
  com.lokryn.ducklake.observe.QueryId id();

  Session session();

  Schema schema();

  Cancellation cancellation();

  /** Gives up what nobody fetched. */
  void abandon();
}
