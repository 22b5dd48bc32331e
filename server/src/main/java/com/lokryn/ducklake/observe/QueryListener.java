package com.lokryn.ducklake.observe;

import java.util.List;

/**
 * Is told of each statement of a client. It is called on the threads that statements run on, and
 * must not wait for anything; what it throws is of its own making, and would end a statement.
 */
public interface QueryListener {
  /** A statement begins. This may be on an event loop. */
  default void began() {}

  /** The same statement is over, whichever way. */
  void ended(QueryRecord query);

  /** Tells several, in their order. */
  static QueryListener all(List<QueryListener> listeners) {
    QueryListener[] all = listeners.toArray(QueryListener[]::new);
    return new QueryListener() {
      @Override
      public void began() {
        for (QueryListener one : all) {
          one.began();
        }
      }

      @Override
      public void ended(QueryRecord query) {
        for (QueryListener one : all) {
          one.ended(query);
        }
      }
    };
  }
}
