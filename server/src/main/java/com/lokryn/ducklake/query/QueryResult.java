package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.QueryId;
import java.util.Optional;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * What a ticket stands for until its client fetches it: an open result, or the count of a change.
 */
public sealed interface QueryResult permits RunningQuery, CompletedUpdate {
  QueryId id();

  Session session();

  Schema schema();

  Cancellation cancellation();

  /** What another server needs to give the same rows; empty where it cannot. */
  Optional<Portable> portable();

  /** Gives up what nobody fetched. */
  void abandon();
}
