package com.lokryn.ducklake.app;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.http.ConsoleData.LakeState;
import com.lokryn.ducklake.lake.Lake;
import com.lokryn.ducklake.lake.LakeCatalog;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.lake.LakeOverview;
import com.lokryn.ducklake.lake.LakeOverview.Snapshot;
import com.lokryn.ducklake.lake.LakeOverview.TableSize;
import com.lokryn.ducklake.lake.LakeOverview.Total;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the lake has, for all who look at the console together: the catalog is asked while somebody
 * does, and then at most every ten seconds, on a thread of its own. Thread-safe.
 */
final class LakeView implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LakeView.class);
  private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final Lake lake;
  private final LakeEngine engine;

  /** Tells its versions from those of the process before, which browsers may come with. */
  private final long began = System.currentTimeMillis();

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(EngineThreads.factory("console-lake"));

  // All guarded by this.
  private boolean isAsked;
  private long askedLast = System.nanoTime() - PERIOD_NANOS;
  private int version;
  private @Nullable LakeOverview seen;
  private boolean isSeenNow;

  LakeView(Lake lake, LakeEngine engine) {
    this.lake = lake;
    this.engine = engine;
  }

  /** What was seen last; has it looked at again where that was a while ago. */
  synchronized Optional<LakeState> state() {
    if (!isAsked && engine.isReady() && System.nanoTime() - askedLast >= PERIOD_NANOS) {
      try {
        thread.execute(this::look);
        isAsked = true;
      } catch (RejectedExecutionException _) {
        // The server is stopping.
      }
    }
    return version == 0
        ? Optional.empty()
        : Optional.of(new LakeState(began + "-" + version, content(seen, isSeenNow)));
  }

  private void look() {
    LakeOverview found = null;
    try (var connection = engine.connect(LakeCatalog.NAMESPACE)) {
      found = LakeOverview.read(lake, connection);
    } catch (EngineException | RuntimeException e) {
      LOG.atDebug().setCause(e).log("the lake could not be looked at for the console");
    } finally {
      looked(found);
    }
  }

  private synchronized void looked(@Nullable LakeOverview found) {
    isAsked = false;
    askedLast = System.nanoTime();
    boolean isNews = found == null ? isSeenNow || version == 0 : !isSeenNow || !found.equals(seen);
    if (isNews) {
      version++;
    }
    isSeenNow = found != null;
    if (found != null) {
      seen = found;
    }
  }

  private static Map<String, @Nullable Object> content(
      @Nullable LakeOverview seen, boolean isSeenNow) {
    var content = new LinkedHashMap<String, @Nullable Object>();
    content.put("ok", isSeenNow);
    if (seen != null) {
      Total total = seen.total();
      content.put(
          "total",
          Map.of(
              "tables", total.tables(),
              "files", total.files(),
              "bytes", total.bytes(),
              "old_files", total.oldFiles(),
              "old_bytes", total.oldBytes()));
      content.put("tables", seen.tables().stream().map(LakeView::table).toList());
      content.put("snapshots", seen.snapshots().stream().map(LakeView::snapshot).toList());
    }
    return content;
  }

  private static Map<String, Object> table(TableSize table) {
    return Map.of(
        "id", table.id(),
        "schema", table.schema(),
        "name", table.name(),
        "rows", table.rows(),
        "files", table.files(),
        "bytes", table.bytes(),
        "delete_files", table.deleteFiles());
  }

  private static Map<String, Object> snapshot(Snapshot snapshot) {
    return Map.of(
        "id", snapshot.id(),
        "time", snapshot.time(),
        "author", snapshot.author(),
        "message", snapshot.message(),
        "changes", snapshot.changes(),
        "delta", snapshot.delta());
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
