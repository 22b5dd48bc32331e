package com.lokryn.ducklake.metering;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.UUID;

/**
 * Whose usage it is.
 *
 * @param process one run of the program
 * @param place what AWS sees as the same even if the program is run again in it: the task or the
 *     pod, by the name of its host
 * @param pid the process's number in its place
 */
record Owner(String process, String place, long pid) {
  static Owner ofProcess() {
    return new Owner(UUID.randomUUID().toString(), hostName(), ProcessHandle.current().pid());
  }

  /** Containers have their name in the environment too, and some cannot look it up. */
  private static String hostName() {
    return Optional.ofNullable(System.getenv("HOSTNAME"))
        .filter(name -> !name.isBlank())
        .orElseGet(
            () -> {
              try {
                return InetAddress.getLocalHost().getHostName();
              } catch (UnknownHostException e) {
                return "unknown";
              }
            });
  }
}
