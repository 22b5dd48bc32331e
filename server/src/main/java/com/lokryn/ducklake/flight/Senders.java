package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.query.Problem;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/** The results on their way to clients. Thread-safe. */
final class Senders {
  private final Set<BatchSender> open = ConcurrentHashMap.newKeySet();

  /**
   * Starts a sender, and knows of it until it has ended.
   *
   * @param make makes the sender from what it has to run at its end
   */
  void start(Function<Runnable, BatchSender> make) {
    var self = new AtomicReference<BatchSender>();
    BatchSender sender = make.apply(() -> open.remove(self.get()));
    self.set(sender);
    open.add(sender);
    sender.start();
  }

  void checkStalls(Duration limit) {
    open.forEach(sender -> sender.checkStall(limit));
  }

  void cancelAll(Problem problem, String text) {
    open.forEach(sender -> sender.cancel(problem, text));
  }

  int count() {
    return open.size();
  }
}
