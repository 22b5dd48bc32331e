package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.auth.Passwords;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(
    name = "hash-password",
    description = "Makes the hash of a password for flight_users.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "It asks for the password twice without showing it. Without a terminal it",
      "reads the first line of standard input. The hash, of argon2id, is all that",
      "goes to standard output; each run makes another one of the same password."
    })
final class HashPasswordCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    String password = password();
    if (password.isEmpty()) {
      throw new CommandFailure(ExitCode.USAGE, "the password is empty");
    }
    System.out.println(Passwords.hash(password, new SecureRandom()));
    return ExitCode.DONE;
  }

  private static String password() {
    Optional<String> typed = Terminal.password("Password: ");
    if (typed.isEmpty()) {
      return Terminal.isPresent() ? "" : firstLine();
    }
    if (!typed.equals(Terminal.password("Again: "))) {
      throw new CommandFailure(ExitCode.USAGE, "these are two different passwords");
    }
    return typed.get();
  }

  private static String firstLine() {
    if (Terminal.isTyped()) {
      throw new CommandFailure(
          ExitCode.USAGE,
          "the password would be shown: run it with its output on the terminal, or have the password"
              + " come from a file or another program");
    }
    // Not closed: the standard input is the program's.
    var reader = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try {
      String line = reader.readLine();
      return line == null ? "" : line;
    } catch (IOException e) {
      throw new CommandFailure(ExitCode.USAGE, "the standard input cannot be read");
    }
  }
}
