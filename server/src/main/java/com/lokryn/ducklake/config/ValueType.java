package com.lokryn.ducklake.config;

import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How the text of a setting is read; what cannot be read says what it should look like. */
public interface ValueType<T> {
  /** Reads a text, or throws with a sentence that goes on from "key: ". */
  T read(String text);

  Pattern NUMBER_UNIT = Pattern.compile("(\\d{1,15})\\s*([A-Za-z]*)");

  static ValueType<String> text() {
    return text -> text;
  }

  static ValueType<Path> path() {
    return Path::of;
  }

  static ValueType<Boolean> flag() {
    return text ->
        switch (text.toLowerCase(Locale.ROOT)) {
          case "true" -> true;
          case "false" -> false;
          default -> throw new IllegalArgumentException("is true or false");
        };
  }

  static ValueType<Integer> number(int least, int most) {
    return text -> {
      try {
        int value = Integer.parseInt(text);
        if (value >= least && value <= most) {
          return value;
        }
      } catch (NumberFormatException _) {
        // The same sentence.
      }
      throw new IllegalArgumentException("is a number from %d to %d".formatted(least, most));
    };
  }

  static <E extends Enum<E>> ValueType<E> oneOf(Class<E> type) {
    List<String> names =
        Arrays.stream(type.getEnumConstants())
            .map(value -> value.name().toLowerCase(Locale.ROOT))
            .toList();
    return text -> {
      int at = names.indexOf(text.toLowerCase(Locale.ROOT));
      if (at < 0) {
        throw new IllegalArgumentException("is one of " + String.join(", ", names));
      }
      return type.getEnumConstants()[at];
    };
  }

  static ValueType<Duration> duration() {
    return text -> {
      Matcher matcher = NUMBER_UNIT.matcher(text);
      if (matcher.matches()) {
        long number = Long.parseLong(matcher.group(1));
        Optional<ChronoUnit> unit =
            switch (matcher.group(2)) {
              case "ms" -> Optional.of(ChronoUnit.MILLIS);
              case "s" -> Optional.of(ChronoUnit.SECONDS);
              case "m" -> Optional.of(ChronoUnit.MINUTES);
              case "h" -> Optional.of(ChronoUnit.HOURS);
              case "d" -> Optional.of(ChronoUnit.DAYS);
              default -> Optional.empty();
            };
        if (unit.isPresent()) {
          return Duration.of(number, unit.get());
        }
      }
      throw new IllegalArgumentException("is a duration such as 500ms, 3s, 5m, 1h or 7d");
    };
  }

  static ValueType<DataSize> size() {
    return DataSize::parse;
  }
}
