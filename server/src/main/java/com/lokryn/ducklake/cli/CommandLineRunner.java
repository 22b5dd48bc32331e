package com.lokryn.ducklake.cli;

import static picocli.CommandLine.Model.UsageMessageSpec.SECTION_KEY_FOOTER;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.lokryn.ducklake.config.Setting;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.engine.BuildInfo;
import com.lokryn.ducklake.observe.Logging;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program's commands, and how each of them may end. */
public final class CommandLineRunner {
  /** Picocli's own width. */
  private static final int HELP_COLUMNS = 80;

  /** By name, in the order of the help. */
  private static final SequencedMap<String, Class<?>> COMMANDS = commands();

  private CommandLineRunner() {}

  /** Runs a command line, and returns the exit code. */
  public static int run(String... arguments) {
    // Commands print their results; what libraries have to say is for whoever looks for a fault.
    String level = System.getenv().getOrDefault("LOG_LEVEL", "WARN");
    Logging.configure(false, level);
    if (!level.equalsIgnoreCase("debug")) {
      // gRPC warns, with a stack trace, of what the command itself then says in a sentence.
      ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).setLevel(Level.OFF);
    }
    return line(arguments).execute(arguments);
  }

  /**
   * The commands that a command line may mean: the one that it begins with, or else all. What
   * picocli knows of a command it reads by reflection, which takes as long as opening the engine.
   */
  private static CommandLine line(String... arguments) {
    var line = new CommandLine(new Root());
    @Nullable Class<?> asked = arguments.length == 0 ? null : COMMANDS.get(arguments[0]);
    for (Class<?> command : asked == null ? COMMANDS.values() : List.of(asked)) {
      line.addSubcommand(command);
    }
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(CommandLineRunner::usage);
    line.setExecutionExceptionHandler(CommandLineRunner::failure);
    for (CommandLine command : line.getSubcommands().values()) {
      if (command.getCommandName().equals("serve")) {
        command.getHelpSectionMap().put(SECTION_KEY_FOOTER, CommandLineRunner::settings);
      }
      command.getCommandSpec().versionProvider(new Versions());
    }
    return line;
  }

  private static SequencedMap<String, Class<?>> commands() {
    var commands = new LinkedHashMap<String, Class<?>>();
    commands.put("serve", ServeCommand.class);
    commands.put("doctor", DoctorCommand.class);
    commands.put("iam-policy", IamPolicyCommand.class);
    commands.put("sql", SqlCommand.class);
    commands.put("ingest", IngestCommand.class);
    commands.put("health", HealthCommand.class);
    commands.put("maintain", MaintainCommand.class);
    commands.put("hash-password", HashPasswordCommand.class);
    commands.put("extensions", ExtensionsCommand.class);
    return commands;
  }

  /** The table of settings, for the help. */
  private static String settings(Help help) {
    var lines = new ArrayList<String>();
    lines.add("");
    lines.add("Settings: keys of the --config file, and in upper case variables of the");
    lines.add("environment:");
    for (Setting<?> setting : Settings.ALL) {
      addParagraph(lines, "  ", "%s (%s)".formatted(setting.key(), setting.initialText()));
      addParagraph(lines, "      ", setting.help());
    }
    lines.add("");
    lines.add("Durations are written 500ms, 3s, 5m, 1h, 7d; sizes 40MB, 2GB, 512MiB.");
    help.commandSpec().usageMessage().footer(lines.toArray(String[]::new));
    return help.footer();
  }

  /** Breaks between words, as picocli would, but keeps the indent. */
  private static void addParagraph(List<String> lines, String indent, String text) {
    var line = new StringBuilder(indent);
    for (String word : text.replace("%", "%%").split(" ", -1)) {
      if (line.length() > indent.length() && line.length() + 1 + word.length() >= HELP_COLUMNS) {
        lines.add(line.toString());
        line = new StringBuilder(indent);
      }
      line.append(line.length() > indent.length() ? " " : "").append(word);
    }
    lines.add(line.toString());
  }

  private static int usage(ParameterException e, String[] arguments) {
    PrintWriter err = e.getCommandLine().getErr();
    err.println(e.getMessage());
    e.getCommandLine().usage(err);
    return ExitCode.USAGE;
  }

  private static int failure(Exception e, CommandLine line, CommandLine.ParseResult parsed) {
    if (e instanceof CommandFailure failure) {
      line.getErr().println(VisibleText.lines(String.valueOf(failure.getMessage())));
      return failure.exitCode();
    }
    LoggerFactory.getLogger(CommandLineRunner.class).debug("the command failed", e);
    line.getErr()
        .println(
            "internal error: %s: %s (run with LOG_LEVEL=debug for the details)"
                .formatted(e.getClass().getSimpleName(), e.getMessage()));
    return ExitCode.INTERNAL;
  }

  @Command(
      name = "ducklake-flight",
      description = "An Arrow Flight SQL server over an embedded DuckDB with a DuckLake lake.",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class)
  private static final class Root implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
      throw new ParameterException(Objects.requireNonNull(spec).commandLine(), "which command?");
    }
  }

  /** What the program is made of. */
  static final class Versions implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        "ducklake-flight " + BuildInfo.VERSION,
        "DuckDB " + BuildInfo.DUCKDB_VERSION,
        "DuckLake extension of DuckDB " + BuildInfo.DUCKDB_VERSION,
        "Arrow " + BuildInfo.ARROW_VERSION
      };
    }
  }
}
