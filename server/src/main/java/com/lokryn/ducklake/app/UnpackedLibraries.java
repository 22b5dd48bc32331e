package com.lokryn.ducklake.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The native library that Arrow's C data interface unpacks into the directory for temporary files.
 * It is to be deleted when the virtual machine exits; but one that is halted, which is how a
 * process that got SIGTERM can end with 0, leaves it there.
 */
public final class UnpackedLibraries {
  private static final Path MAPS = Path.of("/proc/self/maps");
  private static final Pattern LIBRARY = Pattern.compile("(/\\S*/jnilib-\\d+\\.tmp)$");

  private UnpackedLibraries() {}

  /** Deletes those that this process has loaded; where the system does not say which, none. */
  public static void delete() {
    try {
      List<String> maps = Files.isReadable(MAPS) ? Files.readAllLines(MAPS) : List.of();
      for (String line : maps) {
        Matcher matcher = LIBRARY.matcher(line);
        if (matcher.find()) {
          Files.deleteIfExists(Path.of(matcher.group(1)));
        }
      }
    } catch (IOException _) {
      // A small file stays.
    }
  }
}
