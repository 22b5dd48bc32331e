package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.QueryId;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * What a ticket stands for until its client fetches it: an open result, or the count of a change.
 */
public sealed interface QueryResult permits RunningQuery, CompletedUpdate {
  QueryId id();

  Session session();

  Schema schema();

  Cancellation cancellation();

  /** Gives up what nobody fetched. */
  void abandon();
}
