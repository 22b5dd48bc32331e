package com.lokryn.ducklake.doctor;

import com.lokryn.ducklake.config.DataSize;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Passed;
import com.lokryn.ducklake.config.Finding.Unneeded;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.engine.MachineMemory;
import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What the machine, or the container, has to have. */
final class MachineChecks {
  private static final long LEAST_MEMORY = 512L << 20;

  /** The rest is for the heap, batches on their way, and what DuckDB does not count. */
  private static final double MAX_SHARE = 0.8;

  /** A few hundred clients, the catalog's connections, and the files of some scans. */
  private static final long LEAST_FILES = 4_096;

  private static final int PROBE_BYTES = 1 << 20;

  private MachineChecks() {}

  static Finding spill(Subject subject) {
    ServerConfig config = subject.config();
    Path wanted =
        config
            .find(Settings.TEMP_DIRECTORY)
            .orElseGet(() -> Path.of(System.getProperty("java.io.tmpdir")))
            .toAbsolutePath();
    Path existing = wanted;
    while (Files.notExists(existing) && existing.getParent() != null) {
      // It is made when it is needed first.
      existing = existing.getParent();
    }
    long total;
    try {
      Path file = Files.createTempFile(existing, ".ducklake-flight", ".check");
      try {
        // A disk that is full takes an empty file.
        Files.write(file, new byte[PROBE_BYTES]);
      } finally {
        Files.delete(file);
      }
      total = Files.getFileStore(existing).getTotalSpace();
    } catch (IOException e) {
      return new Failed(
          new StartProblem(
              Kind.PERMISSION,
              "nothing can be written in %s (%s)".formatted(existing, e.getClass().getSimpleName()),
              "let the user of the process write there, or set temp_directory to another"
                  + " directory"));
    }
    Optional<Long> limit = config.find(Settings.MAX_TEMP_DIRECTORY_SIZE).map(DataSize::bytes);
    if (limit.isPresent() && limit.get() > total) {
      return new Failed(
          new StartProblem(
              Kind.CONFIGURATION,
              "%s has %s in all, less than max_temp_directory_size"
                  .formatted(existing, mebibytes(total)),
              "set max_temp_directory_size to less, or temp_directory to a larger volume"));
    }
    return new Passed("%s, of %s".formatted(wanted, mebibytes(total)));
  }

  static Finding memory(Subject subject) {
    long total = MachineMemory.total();
    long engine =
        subject
            .config()
            .find(Settings.MEMORY_LIMIT)
            .map(DataSize::bytes)
            .orElseGet(MachineMemory::defaultEngineBytes);
    if (total < LEAST_MEMORY) {
      return new Failed(
          new StartProblem(
              Kind.CONFIGURATION,
              "there are %s of memory".formatted(mebibytes(total)),
              "give the container %s or more".formatted(mebibytes(LEAST_MEMORY))));
    }
    if (engine > total * MAX_SHARE) {
      return new Failed(
          new StartProblem(
              Kind.CONFIGURATION,
              "memory_limit is %s of %s".formatted(mebibytes(engine), mebibytes(total)),
              "set memory_limit to %s or less, or give the container more memory"
                  .formatted(mebibytes((long) (total * MAX_SHARE)))));
    }
    return new Passed("the engine may use %s of %s".formatted(mebibytes(engine), mebibytes(total)));
  }

  static Finding files(Subject subject) {
    if (!(ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix)) {
      return new Unneeded("this system has no limit that can be asked for");
    }
    long limit = unix.getMaxFileDescriptorCount();
    return limit >= LEAST_FILES
        ? new Passed("%d at once".formatted(limit))
        : new Failed(
            new StartProblem(
                Kind.CONFIGURATION,
                "%d files and connections may be open at once".formatted(limit),
                "raise the limit (ulimit -n, nofile) to %d or more".formatted(LEAST_FILES)));
  }

  private static String mebibytes(long bytes) {
    return "%d MiB".formatted(bytes >> 20);
  }
}
