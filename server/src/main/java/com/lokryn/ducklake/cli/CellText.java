package com.lokryn.ducklake.cli;

import java.math.BigDecimal;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Values as text for people and for CSV. */
final class CellText {
  private CellText() {}

  static String of(@Nullable Object value) {
    return switch (value) {
      case null -> "NULL";
      case byte[] bytes -> "\\x" + HexFormat.of().formatHex(bytes);
      case BigDecimal number -> number.toPlainString();
      case java.time.LocalDateTime time -> time.toString().replace('T', ' ');
      case java.time.OffsetDateTime time -> time.toString().replace('T', ' ');
      case List<?> list ->
          list.stream().map(CellText::of).collect(Collectors.joining(", ", "[", "]"));
      case Map<?, ?> map ->
          map.entrySet().stream()
              .map(entry -> entry.getKey() + ": " + of(entry.getValue()))
              .collect(Collectors.joining(", ", "{", "}"));
      default -> value.toString();
    };
  }
}
