package com.lokryn.ducklake.cli;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGTERM and Ctrl-C: the first stops the virtual machine as ever, each one after it is told to who
 * listens here. By itself the virtual machine takes no notice of a second one.
 */
final class StopSignals {
  private static final Logger LOG = LoggerFactory.getLogger(StopSignals.class);
  private static final List<String> NAMES = List.of("TERM", "INT");

  private StopSignals() {}

  /** Has a second signal, and those after it, run something. To be called once. */
  static void hurry(Runnable hurry) {
    var isStopping = new AtomicBoolean();
    Runnable onSignal =
        () -> {
          if (isStopping.getAndSet(true)) {
            hurry.run();
          } else {
            // Runs the shutdown hooks; does not return.
            Runtime.getRuntime().exit(ExitCode.DONE);
          }
        };
    try {
      for (String name : NAMES) {
        handle(name, onSignal);
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      // Another virtual machine, or one that was told to leave signals alone (-Xrs).
      LOG.atDebug().setCause(e).log("a second signal will not end the waiting of the first");
    }
  }

  /**
   * By reflection: the module jdk.unsupported has the only way to a signal, it is there to stay
   * until there is another (JEP 260), and the compiler's warning of it cannot be turned off.
   */
  private static void handle(String name, Runnable onSignal) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    Object handling =
        Proxy.newProxyInstance(
            StopSignals.class.getClassLoader(),
            new Class<?>[] {handler},
            (_, method, arguments) -> {
              if (!"handle".equals(method.getName())) {
                return method.invoke(onSignal, arguments);
              }
              onSignal.run();
              return null;
            });
    var _ =
        signal
            .getMethod("handle", signal, handler)
            .invoke(null, signal.getConstructor(String.class).newInstance(name), handling);
  }
}
