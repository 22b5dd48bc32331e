package com.lokryn.ducklake.config;

import java.util.Locale;
import java.util.regex.Matcher;

/**
 * A number of bytes, written as {@code 40MB} or {@code 2GB}; units are powers of 1,000 or 1,024.
 */
public record DataSize(long bytes) {
  static DataSize parse(String text) {
    Matcher matcher = ValueForms.NUMBER_UNIT.matcher(text);
    if (matcher.matches()) {
      long number = Long.parseLong(matcher.group(1));
      long unit =
          switch (matcher.group(2).toUpperCase(Locale.ROOT)) {
            case "B" -> 1;
            case "KB" -> 1_000;
            case "MB" -> 1_000_000;
            case "GB" -> 1_000_000_000;
            case "TB" -> 1_000_000_000_000L;
            case "KIB" -> 1L << 10;
            case "MIB" -> 1L << 20;
            case "GIB" -> 1L << 30;
            case "TIB" -> 1L << 40;
            default -> 0;
          };
      if (unit > 0 && number <= Long.MAX_VALUE / unit) {
        return new DataSize(number * unit);
      }
    }
    throw new IllegalArgumentException("is a size such as 40MB, 2GB or 512MiB");
  }
}
