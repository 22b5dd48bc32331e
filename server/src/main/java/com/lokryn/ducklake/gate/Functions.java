package com.lokryn.ducklake.gate;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

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
  private static final List<List<String>> LINES = lines();
  private static final Set<String> VOLATILE = names("volatile");
  private static final Set<String> VOLATILE_WORDS = names("volatile-word");
  private static final Map<Space, Map<String, Use>> USES = uses();

  private Functions() {}

  /** The use of a name in lower case; empty for one that the engine does not have itself. */
  static Optional<Use> use(Space space, String name) {
    return Optional.ofNullable(Objects.requireNonNull(USES.get(space)).get(name));
  }

  /**
   * Whether a function of values of that name in lower case may give something else the next time
   * it is asked the same of the same lake.
   */
  static boolean isVolatile(String name) {
    return VOLATILE.contains(name);
  }

  /** The same of a word without parentheses that stands for a call where no column is called so. */
  static boolean isVolatileWord(String word) {
    return VOLATILE_WORDS.contains(word);
  }

  private static List<List<String>> lines() {
    try (InputStream list = Functions.class.getResourceAsStream(LIST)) {
      return new String(Objects.requireNonNull(list, LIST).readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(line -> List.of(line.split(" ")))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The names in the lines that begin with a word. */
  private static Set<String> names(String first) {
    return LINES.stream()
        .filter(words -> words.getFirst().equals(first))
        .flatMap(words -> words.stream().skip(1))
        .collect(Collectors.toUnmodifiableSet());
  }

  private static Map<Space, Map<String, Use>> uses() {
    var uses = new EnumMap<Space, Map<String, Use>>(Space.class);
    for (Space space : Space.values()) {
      var names = new HashMap<String, Use>();
      for (Use use : Use.values()) {
        String first = space.name().toLowerCase(Locale.ROOT);
        String second = use.name().toLowerCase(Locale.ROOT);
        LINES.stream()
            .filter(words -> words.subList(0, 2).equals(List.of(first, second)))
            .forEach(words -> words.stream().skip(2).forEach(name -> names.put(name, use)));
      }
      uses.put(space, names);
    }
    return uses;
  }
}
