package com.lokryn.ducklake.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import com.lokryn.ducklake.client.Values;
import com.lokryn.ducklake.client.Values.Attribute;
import com.lokryn.ducklake.client.Values.Entry;
import com.lokryn.ducklake.client.Values.Interval;
import com.lokryn.ducklake.client.Values.MapOf;
import com.lokryn.ducklake.client.Values.Struct;
import java.io.IOException;
import java.io.Writer;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Field;
import org.jspecify.annotations.Nullable;

/**
 * Prints a result as JSON, one object a line. What JSON has no number for (NaN, infinity) is null;
 * bytes are base64, times and intervals ISO 8601.
 */
final class JsonPrinter implements ResultPrinter {
  private static final JsonFactory FACTORY =
      JsonFactory.builder().enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN).build();

  private final JsonGenerator json;
  private List<String> names = List.of();

  JsonPrinter(Writer out) throws IOException {
    json = FACTORY.createGenerator(out);
    json.setPrettyPrinter(new MinimalPrettyPrinter(""));
  }

  @Override
  public void start(VectorSchemaRoot columns, DictionaryProvider dictionaries) {
    names = distinct(columns.getFieldVectors().stream().map(FieldVector::getName).toList());
  }

  /** A second column of the same name would hide the first. */
  private static List<String> distinct(List<String> given) {
    var taken = new HashSet<String>(given);
    if (taken.size() == given.size()) {
      return given;
    }
    var used = new HashSet<String>();
    var names = new ArrayList<String>();
    for (String name : given) {
      String free = name;
      for (int i = 1; !used.add(free); i++) {
        free = taken.contains(name + "_" + i) ? free : name + "_" + i;
      }
      names.add(free);
    }
    return names;
  }

  @Override
  public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException {
    var values = new Values(dictionaries);
    List<Field> fields = batch.getSchema().getFields();
    List<FieldVector> vectors = batch.getFieldVectors();
    for (int row = 0; row < batch.getRowCount(); row++) {
      json.writeStartObject();
      for (int column = 0; column < vectors.size(); column++) {
        json.writeFieldName(names.get(column));
        write(values.read(fields.get(column), vectors.get(column), row));
      }
      json.writeEndObject();
      json.writeRaw('\n');
    }
    json.flush();
  }

  private void write(@Nullable Object value) throws IOException {
    switch (value) {
      case null -> json.writeNull();
      case Boolean truth -> json.writeBoolean(truth);
      case BigInteger number -> json.writeNumber(number);
      case BigDecimal number -> json.writeNumber(number);
      case Float number -> number(number, CellText.of(number));
      case Double number -> number(number, CellText.of(number));
      case Number number -> json.writeNumber(number.longValue());
      case byte[] bytes -> json.writeBinary(bytes);
      case LocalTime time -> json.writeString(DateTimeFormatter.ISO_LOCAL_TIME.format(time));
      case LocalDate date -> json.writeString(date.toString());
      case LocalDateTime timestamp ->
          json.writeString(DateTimeFormatter.ISO_LOCAL_DATE_TIME.format(timestamp));
      case OffsetDateTime timestamp ->
          json.writeString(DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(timestamp));
      case Interval interval -> json.writeString(duration(interval));
      case List<?> list -> list(list);
      case Struct struct -> struct(struct);
      case MapOf map -> map(map);
      case Attribute member -> struct(new Struct(List.of(member)));
      default -> json.writeString(value.toString());
    }
  }

  /** JSON has no infinity and no NaN. */
  private void number(double value, String text) throws IOException {
    if (Double.isFinite(value)) {
      json.writeNumber(text);
    } else {
      json.writeNull();
    }
  }

  private void list(List<?> list) throws IOException {
    json.writeStartArray();
    for (Object element : list) {
      write(element);
    }
    json.writeEndArray();
  }

  private void struct(Struct struct) throws IOException {
    json.writeStartObject();
    for (Attribute attribute : struct.attributes()) {
      json.writeFieldName(attribute.name());
      write(attribute.value());
    }
    json.writeEndObject();
  }

  /** Keys of all types become names, as in DuckDB's own to_json. */
  private void map(MapOf map) throws IOException {
    json.writeStartObject();
    for (Entry entry : map.entries()) {
      json.writeFieldName(CellText.of(entry.key()));
      write(entry.value());
    }
    json.writeEndObject();
  }

  /** ISO 8601, for example P1Y2M3DT4H5M6.5S. */
  private static String duration(Interval interval) {
    var text = new StringBuilder("P");
    unit(text, interval.months() / 12, 'Y');
    unit(text, interval.months() % 12, 'M');
    unit(text, interval.days(), 'D');
    String clock = Duration.ofNanos(interval.nanos()).toString();
    if (interval.nanos() != 0 || text.length() == 1) {
      text.append(clock, 1, clock.length());
    }
    return text.toString();
  }

  private static void unit(StringBuilder text, int count, char name) {
    if (count != 0) {
      text.append(count).append(name);
    }
  }

  @Override
  public void end() {
    // All is written.
  }

  @Override
  public void done(String sentence) {
    // Lines are rows and nothing else.
  }
}
