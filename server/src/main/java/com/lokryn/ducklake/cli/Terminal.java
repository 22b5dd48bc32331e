package com.lokryn.ducklake.cli;

import java.io.Console;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** The terminal that a person looks at, if there is one. */
// Whether there is none, or one that is no terminal, depends on the module that provides it.
@SuppressWarnings("SystemConsoleNull")
final class Terminal {
  private static final int DEFAULT_WIDTH = 80;

  // As stat(2) has them.
  private static final int FILE_KIND = 0xF000;
  private static final int PIPE = 0x1000;
  private static final int CHARACTERS = 0x2000;
  private static final int SOCKET = 0xC000;

  private Terminal() {}

  static boolean isPresent() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** Asks for a password, without showing it; empty when there is nobody to ask. */
  static Optional<String> password(String prompt) {
    Console console = System.console();
    if (!isPresent() || console == null) {
      return Optional.empty();
    }
    return Optional.ofNullable(console.readPassword("%s", prompt)).map(String::new);
  }

  /** Does another program read the output? Of such a one, errors only tell that it has gone. */
  static boolean isPiped() {
    int kind = kind("/dev/stdout");
    return kind == PIPE || kind == SOCKET;
  }

  /** Does the input come from a keyboard, whether or not the output goes to a terminal? */
  static boolean isTyped() {
    return kind("/dev/stdin") == CHARACTERS;
  }

  private static int kind(String file) {
    try {
      return (int) Files.getAttribute(Path.of(file), "unix:mode") & FILE_KIND;
    } catch (IOException | RuntimeException _) {
      return 0;
    }
  }

  /** Characters of a line; empty when nobody looks, so that nothing needs to be cut. */
  static OptionalInt width() {
    if (!isPresent()) {
      return OptionalInt.empty();
    }
    try {
      Process stty = new ProcessBuilder("stty", "size").redirectInput(new File("/dev/tty")).start();
      String answer = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      int width = Integer.parseInt(answer.substring(answer.indexOf(' ')).strip());
      // A terminal that does not know its size says 0.
      return OptionalInt.of(width > 0 ? width : DEFAULT_WIDTH);
    } catch (IOException | RuntimeException e) {
      return OptionalInt.of(DEFAULT_WIDTH);
    }
  }
}
