package com.lokryn.ducklake.engine;

import com.lokryn.ducklake.engine.SqlLexer.Kind;
import com.lokryn.ducklake.engine.SqlLexer.Token;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * The words of an SQL text, as {@link SqlLexer} finds them. It knows no grammar; it answers what
 * has to be known before the text reaches the engine. Of the words it keeps only what is asked
 * later: a text of megabytes costs no more memory than itself.
 */
public final class SqlText {
  /**
   * What one statement may have, in bytes of UTF-8. DuckDB's parser needs up to 140 times that,
   * outside of `memory_limit`; and rows are better sent as a bulk ingest than as text.
   */
  static final int MAX_BYTES = 16 << 20;

  /** What to tell the sender of a text that {@link #isTooLong}. */
  public static final String TOO_LONG =
      "the statement is longer than %d MiB: send its data as parameters or by a bulk ingest"
          .formatted(MAX_BYTES >> 20);

  private static final Set<String> STATELESS_VERBS =
      Set.of(
          "select",
          "with",
          "from",
          "values",
          "table",
          "show",
          "describe",
          "desc",
          "summarize",
          "explain",
          "insert",
          "update",
          "delete",
          "merge",
          "create",
          "drop",
          "alter",
          "comment");

  /** A pivot makes a temporary type of its columns; a seed and variables stay in the connection. */
  private static final Set<String> STATEFUL_WORDS =
      Set.of("pivot", "pivot_wider", "setseed", "query", "query_table", "temp", "temporary");

  private static final Set<String> READING_VERBS =
      Set.of("select", "with", "from", "values", "table", "show", "describe", "desc", "summarize");

  /** What a statement that begins as a reading one may have in it. */
  private static final Set<String> CHANGING_WORDS =
      Set.of("insert", "update", "delete", "merge", "nextval", "currval", "call", "copy");

  /**
   * Functions of the engine's log, in which all clients' statements are; profiles, which the engine
   * prints on standard output, statements and all; and what a whole engine does when it ends.
   */
  private static final Set<String> SERVER_WORDS =
      Set.of(
          "enable_logging",
          "disable_logging",
          "truncate_duckdb_logs",
          "duckdb_logs",
          "enable_profile",
          "enable_profiling",
          "enable_checkpoint_on_shutdown",
          "disable_checkpoint_on_shutdown");

  /** Functions whose plan cannot be run in a later transaction than the one it was made in. */
  private static final Set<String> COMPACTING_WORDS =
      Set.of(
          "merge_adjacent_files",
          "ducklake_merge_adjacent_files",
          "rewrite_data_files",
          "ducklake_rewrite_data_files");

  /** The longest word that is looked for has 30 letters; longer ones are none of them. */
  private static final int LONGEST_WORD = 31;

  /** As many as {@code CREATE OR REPLACE TEMP} has. */
  private static final int KEPT_WORDS = 4;

  private final String sql;
  private final String[] words = new String[KEPT_WORDS];
  private int tokens;
  private int statements;
  private boolean afterTemp;
  private boolean afterSet;
  private boolean namesTemporaryCatalog;
  private boolean hasStatefulWord;
  private boolean hasPivotWord;
  private boolean hasServerWord;
  private boolean hasChangingWord;
  private boolean hasCompactingWord;
  private boolean analyzes;
  private boolean returnsRows;

  private SqlText(String sql) {
    this.sql = sql;
    Arrays.fill(words, "");
    scan();
  }

  public static SqlText of(String sql) {
    return new SqlText(Objects.requireNonNull(sql));
  }

  /** True when a text is longer than the server takes. */
  public static boolean isTooLong(String sql) {
    return sql.length() > MAX_BYTES / 3 && utf8Bytes(sql) > MAX_BYTES;
  }

  private static long utf8Bytes(String sql) {
    long bytes = sql.length();
    for (int i = 0; i < sql.length(); i++) {
      char c = sql.charAt(i);
      // The two halves of a pair have four bytes together.
      bytes += c < 0x80 ? 0 : c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
    }
    return bytes;
  }

  /** The text as it was given. */
  public String sql() {
    return sql;
  }

  /**
   * How many statements the text holds; empty ones (a trailing semicolon) do not count. Where there
   * is no semicolon inside there is one at most; else {@link StatementCounter} knows for certain.
   */
  public int statements() {
    return statements;
  }

  /** True when something follows a semicolon, be it in a string or a comment. */
  boolean hasInnerSemicolon() {
    int first = sql.indexOf(';');
    return first >= 0 && first < endWithoutSemicolons();
  }

  /** Where the semicolons and spaces begin that end the text. */
  int endWithoutSemicolons() {
    int end = sql.length();
    while (end > 0 && (SqlLexer.isSpace(sql.charAt(end - 1)) || sql.charAt(end - 1) == ';')) {
      end--;
    }
    return end;
  }

  /** The same query, if it has no LIMIT, but without rows: what tells its columns. */
  public SqlText withoutRows() {
    return of(sql.substring(0, endWithoutSemicolons()) + "\nLIMIT 0");
  }

  /** The first word in lower case, or an empty string. */
  public String verb() {
    return word(0);
  }

  /** The word at a position in lower case, or an empty string when there is none. */
  private String word(int position) {
    return words[position];
  }

  /** Makes something that lives and dies with its connection. */
  public boolean isTemporaryObject() {
    int next = word(1).equals("or") && word(2).equals("replace") ? 3 : 1;
    return verb().equals("create")
        && (word(next).equals("temp") || word(next).equals("temporary") || namesTemporaryCatalog);
  }

  /**
   * Does what would change the engine for all clients and is not closed by its own lock: attaching
   * and detaching, moving whole databases, the log of all statements, profiles, settings for all.
   */
  public boolean isForTheServerOnly() {
    return switch (verb()) {
      case "attach", "detach", "import", "export" -> true;
      default -> hasServerWord;
    };
  }

  /** Changes rows, and gives none. */
  public boolean isPlainChange() {
    return switch (verb()) {
      case "insert", "update", "delete", "merge" -> !returnsRows;
      default -> false;
    };
  }

  /** Begins a transaction by statement: DuckDB takes a bare START for one too. */
  public boolean isBegin() {
    return verb().equals("begin") || verb().equals("start");
  }

  /** Ends a transaction by statement, and keeps what it did. */
  public boolean isCommit() {
    return verb().equals("commit") || verb().equals("end");
  }

  /** Ends a transaction by statement. */
  public boolean isEnd() {
    return switch (verb()) {
      case "commit", "rollback", "abort", "end" -> true;
      default -> false;
    };
  }

  /** Changes state that DuckDB keeps in the connection. */
  public boolean isConnectionState() {
    return switch (verb()) {
      case "set", "reset", "prepare", "deallocate" -> true;
      default -> false;
    };
  }

  /**
   * True when the statement leaves nothing behind in its connection, so that another user's may run
   * there. A word that could leave something counts even inside a name or alias.
   */
  public boolean leavesNoState() {
    // EXPLAIN ANALYZE runs what it explains: SET, PREPARE and BEGIN too.
    return STATELESS_VERBS.contains(verb())
        && !isTemporaryObject()
        && !hasStatefulWord
        && !(analyzes && verb().equals("explain"));
  }

  /**
   * Reads, and has no effect wherever and however often it is run. What is not known to be so is
   * not: functions of the lake, of Postgres, and of sequences may change something.
   */
  public boolean onlyReads() {
    return READING_VERBS.contains(verb()) && !hasStatefulWord && !hasChangingWord;
  }

  /**
   * Rewrites files of the lake by DuckLake's functions. Their plan holds the transaction that it
   * was made in: run in a later one it fails, with an internal error in the case of files that were
   * added, after which the engine is lost to all (DuckLake of DuckDB 1.5.5).
   */
  public boolean isCompaction() {
    return hasCompactingWord;
  }

  /**
   * True for statements of which DuckDB may make several, and run all but the last of them when it
   * plans: ALTER, to add a column with a default that is computed, and CREATE of a PIVOT.
   */
  public boolean isRunByPlanning() {
    return verb().equals("alter") || (verb().equals("create") && hasPivotWord);
  }

  /** Changes where names are looked up. */
  public boolean isUse() {
    return verb().equals("use");
  }

  private void scan() {
    var lexer = new SqlLexer(sql);
    boolean open = false;
    for (Token token = lexer.next(); token != null; token = lexer.next()) {
      if (token.kind() == Kind.SYMBOL && sql.charAt(token.from()) == ';') {
        open = false;
        continue;
      }
      if (!open) {
        open = true;
        statements++;
      }
      add(token.kind(), token.from(), token.to());
    }
  }

  private void add(Kind kind, int from, int to) {
    String text =
        kind == Kind.SYMBOL || kind == Kind.NUMBER || to - from > LONGEST_WORD
            ? ""
            : sql.substring(from, to).toLowerCase(Locale.ROOT);
    if (kind == Kind.WORD && tokens < KEPT_WORDS) {
      words[tokens] = text;
    }
    namesTemporaryCatalog |= afterTemp && to - from == 1 && sql.charAt(from) == '.';
    afterTemp = tokens > 0 && kind != Kind.STRING && text.equals("temp");
    hasServerWord |= kind != Kind.STRING && SERVER_WORDS.contains(text);
    // Behind PREPARE too, so wherever it stands; as a name it would have to be quoted.
    hasServerWord |= afterSet && kind == Kind.WORD && text.equals("global");
    afterSet = kind == Kind.WORD && (text.equals("set") || text.equals("reset"));
    hasCompactingWord |= kind != Kind.STRING && COMPACTING_WORDS.contains(text);
    hasStatefulWord |= STATEFUL_WORDS.contains(text);
    hasPivotWord |= text.equals("pivot") || text.equals("pivot_wider");
    hasChangingWord |=
        kind != Kind.STRING
            && (CHANGING_WORDS.contains(text)
                || text.startsWith("ducklake_")
                || text.startsWith("postgres_")
                // A longer name is not looked at.
                || to - from > LONGEST_WORD);
    analyzes |= text.equals("analyze") || text.equals("analyse");
    returnsRows |= text.equals("returning");
    tokens++;
  }
}
