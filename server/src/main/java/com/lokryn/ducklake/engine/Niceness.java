package com.lokryn.ducklake.engine;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the system prefer other threads to one of ours. Java's own priorities do nothing on Linux. It
 * goes one way only: without a privilege that a container does not have, a thread stays where it
 * was put. Elsewhere than on Linux nothing happens.
 */
final class Niceness {
  private static final Logger LOG = LoggerFactory.getLogger(Niceness.class);

  /** A tenth of the time that a usual thread gets beside it, and all of what nobody wants. */
  private static final int LOW = 10;

  /** PRIO_PROCESS, which is about one thread on Linux. */
  private static final int ONE_THREAD = 0;

  private static final Path SELF = Path.of("/proc/thread-self");

  private Niceness() {}

  /** The system's number of the current thread, where there is one. */
  static OptionalInt currentThread() {
    try {
      // A link to <process>/task/<thread>.
      return OptionalInt.of(
          Integer.parseInt(Files.readSymbolicLink(SELF).getFileName().toString()));
    } catch (IOException | UnsupportedOperationException | NumberFormatException e) {
      return OptionalInt.empty();
    }
  }

  /** Has others go before that thread from here on. */
  @SuppressWarnings("restricted") // one call of the C library, without pointers
  static void lower(int thread) {
    try {
      var _ = (int) SetPriority.HANDLE.orElseThrow().invokeExact(ONE_THREAD, thread, LOW);
    } catch (Throwable t) {
      LOG.atDebug().setCause(t).log("a thread keeps its priority");
    }
  }

  /** Made when it is needed first. */
  private static final class SetPriority {
    private static final Optional<MethodHandle> HANDLE = find();

    @SuppressWarnings("restricted")
    private static Optional<MethodHandle> find() {
      Linker linker = Linker.nativeLinker();
      return linker
          .defaultLookup()
          .find("setpriority")
          .map(
              address ->
                  linker.downcallHandle(
                      address,
                      FunctionDescriptor.of(
                          ValueLayout.JAVA_INT,
                          ValueLayout.JAVA_INT,
                          ValueLayout.JAVA_INT,
                          ValueLayout.JAVA_INT)));
    }
  }
}
