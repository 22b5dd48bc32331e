package com.lokryn.ducklake.gate;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** What the engine's own functions and views are good for: the list {@code functions.txt}. */
final class Functions {
  /** Where a name is looked up. */
  enum Space {
    /** Functions of values, aggregates and operators too. */
    SCALAR,
    /** Functions in the place of a table. */
    TABLE,
    /** Those that a lake has by {@code lake.name()}. */
    METHOD,
    /** Views of the engine's own. */
    VIEW
  }

  /** What one is good for. */
  enum Use {
    /** Anyone may call it. */
    FREE,
    /** It looks at all views there are. */
    LISTING,
    /** It shows the lake as a whole: for whom no grants narrow. */
    LAKE,
    /** It reads files, of which some may be read. */
    FILES,
    /** For the role admin. */
    ADMIN,
    REFUSED
  }

  private static final String LIST = "functions.txt";

  /** The word that begins a line of those that may give something else each time. */
  private static final String VOLATILE = "volatile";

  private static final Set<String> VOLATILES = new HashSet<>();
  private static final Map<Space, Map<String, Use>> USES = read();

  private Functions() {}

  /** The use of a name in lower case; empty for one that the engine does not have itself. */
  static Optional<Use> use(Space space, String name) {
    return Optional.ofNullable(Objects.requireNonNull(USES.get(space)).get(name));
  }

  /**
   * Whether a function of values of that name in lower case, or a word that is one, may give
   * something else the next time it is asked the same of the same lake.
   */
  static boolean isVolatile(String name) {
    return VOLATILES.contains(name);
  }

  private static Map<Space, Map<String, Use>> read() {
    var uses = new EnumMap<Space, Map<String, Use>>(Space.class);
    for (Space space : Space.values()) {
      uses.put(space, new HashMap<>());
    }
    try (InputStream list = Functions.class.getResourceAsStream(LIST)) {
      new String(Objects.requireNonNull(list, LIST).readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(line -> line.split(" "))
          .forEach(
              words -> {
                if (words[0].equals(VOLATILE)) {
                  Arrays.stream(words, 1, words.length).forEach(VOLATILES::add);
                  return;
                }
                Use use = Use.valueOf(words[1].toUpperCase(Locale.ROOT));
                Map<String, Use> names =
                    Objects.requireNonNull(
                        uses.get(Space.valueOf(words[0].toUpperCase(Locale.ROOT))));
                Arrays.stream(words, 2, words.length).forEach(name -> names.put(name, use));
              });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return uses;
  }
}
