package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.Values.Attribute;
import com.lokryn.ducklake.client.Values.Entry;
import com.lokryn.ducklake.client.Values.Interval;
import com.lokryn.ducklake.client.Values.MapOf;
import com.lokryn.ducklake.client.Values.Struct;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** Values as DuckDB writes them when it casts them to text, and so as it reads them again. */
final class CellText {
  static final String NULL = "NULL";

  private static final DateTimeFormatter TIMESTAMP =
      new DateTimeFormatterBuilder()
          .append(DateTimeFormatter.ISO_LOCAL_DATE)
          .appendLiteral(' ')
          .append(DateTimeFormatter.ISO_LOCAL_TIME)
          .toFormatter(Locale.ROOT);

  private static final DateTimeFormatter TIMESTAMP_WITH_OFFSET =
      new DateTimeFormatterBuilder()
          .append(TIMESTAMP)
          .appendOffset("+HH:mm", "+00")
          .toFormatter(Locale.ROOT);

  /** Text inside a list or a struct that could be taken for a part of it. */
  private static final String SPECIAL = "[]{}(),:='\"\\";

  /** Beyond these, digits would be mostly zeros. */
  private static final double PLAIN_FROM = 1e-5;

  private static final double PLAIN_TO = 1e16;

  private CellText() {}

  /** The text of one value; NULL is {@link #NULL}. */
  static String of(@Nullable Object value) {
    return switch (value) {
      case null -> NULL;
      case String text -> text;
      case Double number -> number(number, number.toString());
      case Float number -> number(number, number.toString());
      case BigDecimal number -> number.toPlainString();
      case byte[] bytes -> binary(bytes);
      case LocalTime time -> DateTimeFormatter.ISO_LOCAL_TIME.format(time);
      case LocalDate date -> date.toString();
      case LocalDateTime timestamp -> TIMESTAMP.format(timestamp);
      case OffsetDateTime timestamp -> TIMESTAMP_WITH_OFFSET.format(timestamp);
      case Interval interval -> interval(interval);
      case List<?> list -> list(list);
      case Struct struct -> struct(struct);
      case MapOf map -> map(map);
      case Attribute member -> of(member.value());
      default -> value.toString();
    };
  }

  private static String number(double value, String shortest) {
    if (!Double.isFinite(value)) {
      return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }
    double size = Math.abs(value);
    if (size < PLAIN_FROM || size >= PLAIN_TO) {
      return shortest;
    }
    String plain = new BigDecimal(shortest).toPlainString();
    return plain.contains(".") ? plain : plain + ".0";
  }

  private static String binary(byte[] bytes) {
    var text = new StringBuilder();
    for (byte b : bytes) {
      boolean printable = b >= ' ' && b < 0x7F && b != '\\' && b != '\'' && b != '"';
      if (printable) {
        text.append((char) b);
      } else {
        text.append(String.format(Locale.ROOT, "\\x%02X", b));
      }
    }
    return text.toString();
  }

  private static String interval(Interval interval) {
    var text = new StringJoiner(" ");
    unit(text, interval.months() / 12, "year");
    unit(text, interval.months() % 12, "month");
    unit(text, interval.days(), "day");
    if (interval.nanos() != 0 || text.length() == 0) {
      text.add(clock(interval.nanos()));
    }
    return text.toString();
  }

  private static void unit(StringJoiner text, int count, String name) {
    if (count != 0) {
      text.add("%d %s%s".formatted(count, name, Math.abs(count) == 1 ? "" : "s"));
    }
  }

  /** Hours can be more than a day has. */
  private static String clock(long nanos) {
    long seconds = Math.abs(nanos / 1_000_000_000L);
    long rest = Math.abs(nanos % 1_000_000_000L);
    String text =
        String.format(
            Locale.ROOT,
            "%s%02d:%02d:%02d",
            nanos < 0 ? "-" : "",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60);
    return rest == 0
        ? text
        : text + "." + String.format(Locale.ROOT, "%09d", rest).replaceFirst("0+$", "");
  }

  private static String list(List<?> list) {
    var text = new StringJoiner(", ", "[", "]");
    list.forEach(element -> text.add(nested(element)));
    return text.toString();
  }

  private static String struct(Struct struct) {
    var text = new StringJoiner(", ", "{", "}");
    for (Attribute attribute : struct.attributes()) {
      String name = attribute.name().replace("'", "\\'");
      text.add("'%s': %s".formatted(name, nested(attribute.value())));
    }
    return text.toString();
  }

  private static String map(MapOf map) {
    var text = new StringJoiner(", ", "{", "}");
    for (Entry entry : map.entries()) {
      text.add(nested(entry.key()) + "=" + nested(entry.value()));
    }
    return text.toString();
  }

  private static String nested(@Nullable Object value) {
    return value instanceof String text && isAmbiguous(text)
        ? "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
        : of(value);
  }

  private static boolean isAmbiguous(String text) {
    return text.isEmpty()
        || text.equalsIgnoreCase(NULL)
        || !text.strip().equals(text)
        || text.chars().anyMatch(c -> SPECIAL.indexOf(c) >= 0);
  }
}
