package com.lokryn.ducklake.engine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.Optional;
import org.duckdb.DriverAccess;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the statements of a text with DuckDB's own parser. DuckDB's driver runs all but the last
 * while it prepares, so a text that was counted wrong would run what nobody looked at. The parser
 * is reached through the C functions of the driver's library, on an instance without data, files
 * and settings of its own. Thread-safe; callers are threads that may enter the engine.
 */
public final class StatementCounter {
  private static final Logger LOG = LoggerFactory.getLogger(StatementCounter.class);

  /** Allowed in strings, quoted names and comments, and an error everywhere else. */
  private static final char NOWHERE_ELSE = '\u0001';

  private static final String SYNTAX_ERROR = "Parser Error";

  /** Up to its zero. */
  private static final MemoryLayout TEXT = MemoryLayout.sequenceLayout(Long.MAX_VALUE, JAVA_BYTE);

  private StatementCounter() {}

  /**
   * How many statements the text holds, at least as many as DuckDB would run. A text that the
   * parser refuses counts as the one that it looks like: the driver parses all of it before it runs
   * any, and so will say what is wrong.
   *
   * @throws EngineException when the parser cannot say
   */
  public static int count(SqlText text) throws EngineException {
    // The grammar puts a semicolon between statements, so most texts are not parsed twice.
    if (text.statements() != 1 || !text.hasInnerSemicolon() || Lazy.PARSER.isEmpty()) {
      return text.statements();
    }
    Parser parser = Lazy.PARSER.get();
    Parsed parsed = parser.parse(text.sql());
    if (parsed.error.isPresent()) {
      String error = parsed.error.get();
      // A pragma is looked up while it is parsed, and this instance may not know it.
      if (!error.startsWith(SYNTAX_ERROR)) {
        throw new EngineException(
            EngineError.INVALID_INPUT,
            error + "; if this is a single statement, send it without semicolons");
      }
      return 1;
    }
    if (parsed.statements > 1 && isOne(parser, text)) {
      return 1;
    }
    return Math.max(1, parsed.statements);
  }

  /**
   * What DuckDB's parser says against a text; empty when it takes it, or when the parser was not
   * found.
   */
  public static Optional<String> syntaxError(String sql) {
    return Lazy.PARSER
        .flatMap(parser -> parser.parse(sql).error)
        .filter(error -> error.startsWith(SYNTAX_ERROR));
  }

  /**
   * True when all semicolons stand where they separate nothing. The parser gives several statements
   * for a PIVOT too, which makes a type first.
   */
  private static boolean isOne(Parser parser, SqlText text) {
    String body = text.sql().substring(0, text.endWithoutSemicolons());
    return parser.parse(body.replace(';', NOWHERE_ELSE)).error.isEmpty();
  }

  private record Parsed(int statements, Optional<String> error) {}

  /** Opened when it is needed first. */
  private static final class Lazy {
    static final Optional<Parser> PARSER = open();

    private static Optional<Parser> open() {
      try {
        return Optional.of(new Parser(DriverAccess.library()));
      } catch (RuntimeException e) {
        LOG.warn("DuckDB's parser was not found, statements are counted without it", e);
        return Optional.empty();
      }
    }
  }

  /** The C functions, by DuckDB's names for them. */
  @SuppressWarnings("restricted") // functions of the library that the driver has loaded
  private static final class Parser {
    /** It parses and no more. */
    private static final Map<String, String> CONFIGURATION =
        Map.of(
            "threads", "1",
            "memory_limit", "64MB",
            "enable_external_access", "false",
            "autoload_known_extensions", "false",
            "autoinstall_known_extensions", "false",
            "lock_configuration", "true");

    private final SymbolLookup library;
    private final MethodHandle connect;
    private final MethodHandle disconnect;
    private final MethodHandle extract;
    private final MethodHandle error;
    private final MethodHandle destroy;
    private final MemorySegment database;

    Parser(SymbolLookup library) {
      this.library = library;
      connect = function("duckdb_connect", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
      disconnect = function("duckdb_disconnect", FunctionDescriptor.ofVoid(ADDRESS));
      extract =
          function(
              "duckdb_extract_statements",
              FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, ADDRESS));
      error =
          function(
              "duckdb_extract_statements_error",
              FunctionDescriptor.of(ADDRESS.withTargetLayout(TEXT), ADDRESS));
      destroy = function("duckdb_destroy_extracted", FunctionDescriptor.ofVoid(ADDRESS));
      database = openDatabase();
    }

    private MethodHandle function(String name, FunctionDescriptor descriptor) {
      return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), descriptor);
    }

    private MemorySegment openDatabase() {
      var create = function("duckdb_create_config", FunctionDescriptor.of(JAVA_INT, ADDRESS));
      var set =
          function("duckdb_set_config", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));
      var destroyConfig = function("duckdb_destroy_config", FunctionDescriptor.ofVoid(ADDRESS));
      var open =
          function(
              "duckdb_open_ext",
              FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment configuration = arena.allocate(ADDRESS);
        require((int) create.invokeExact(configuration));
        for (var option : CONFIGURATION.entrySet()) {
          require(
              (int)
                  set.invokeExact(
                      configuration.get(ADDRESS, 0),
                      arena.allocateFrom(option.getKey()),
                      arena.allocateFrom(option.getValue())));
        }
        MemorySegment opened = arena.allocate(ADDRESS);
        require(
            (int)
                open.invokeExact(
                    MemorySegment.NULL, opened, configuration.get(ADDRESS, 0), MemorySegment.NULL));
        destroyConfig.invokeExact(configuration);
        return opened.get(ADDRESS, 0);
      } catch (Throwable t) {
        throw failed(t);
      }
    }

    /** On a connection of its own, since one parses a single text at a time. */
    Parsed parse(String sql) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment connection = arena.allocate(ADDRESS);
        MemorySegment statements = arena.allocate(ADDRESS);
        require((int) connect.invokeExact(database, connection));
        try {
          long count =
              (long)
                  extract.invokeExact(
                      connection.get(ADDRESS, 0), arena.allocateFrom(sql), statements);
          MemorySegment text = (MemorySegment) error.invokeExact(statements.get(ADDRESS, 0));
          return new Parsed(
              (int) Math.min(count, Integer.MAX_VALUE),
              text.equals(MemorySegment.NULL) ? Optional.empty() : Optional.of(text.getString(0)));
        } finally {
          destroy.invokeExact(statements);
          disconnect.invokeExact(connection);
        }
      } catch (Throwable t) {
        throw failed(t);
      }
    }

    private static void require(int state) {
      if (state != 0) {
        throw new IllegalStateException("a function of DuckDB's parser failed");
      }
    }

    private static RuntimeException failed(Throwable thrown) {
      return thrown instanceof RuntimeException known ? known : new IllegalStateException(thrown);
    }
  }
}
