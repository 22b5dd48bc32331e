package com.lokryn.ducklake.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.lokryn.ducklake.client.ResultSink;
import com.lokryn.ducklake.client.Values;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.jspecify.annotations.Nullable;

/**
 * Prints a result as JSON, one object a line. What JSON has no number for (NaN, infinity) is null;
 * bytes are base64, times are ISO 8601.
 */
final class JsonPrinter implements ResultSink {
  private final JsonGenerator json;

  JsonPrinter(PrintStream out) throws IOException {
    json =
        JsonMapper.builder()
            .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .build()
            .createGenerator(out);
    json.setRootValueSeparator(null);
  }

  @Override
  public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException {
    for (int row = 0; row < batch.getRowCount(); row++) {
      json.writeStartObject();
      for (FieldVector vector : batch.getFieldVectors()) {
        json.writeFieldName(vector.getName());
        write(Values.of(vector, row, dictionaries));
      }
      json.writeEndObject();
      json.writeRaw('\n');
    }
  }

  @Override
  public void end(VectorSchemaRoot root) throws IOException {
    json.flush();
  }

  @Override
  public void changed(long rows) {
    // A change has no rows to print.
  }

  private void write(@Nullable Object value) throws IOException {
    switch (value) {
      case null -> json.writeNull();
      case Boolean flag -> json.writeBoolean(flag);
      case Float number when !Float.isFinite(number) -> json.writeNull();
      case Double number when !Double.isFinite(number) -> json.writeNull();
      case Float number -> json.writeNumber(number);
      case Double number -> json.writeNumber(number);
      case BigDecimal number -> json.writeNumber(number);
      case BigInteger number -> json.writeNumber(number);
      case Number number -> json.writeNumber(number.longValue());
      case byte[] bytes -> json.writeBinary(bytes);
      case List<?> list -> {
        json.writeStartArray();
        for (Object element : list) {
          write(element);
        }
        json.writeEndArray();
      }
      case Map<?, ?> map -> {
        json.writeStartObject();
        for (var entry : map.entrySet()) {
          json.writeFieldName(String.valueOf(entry.getKey()));
          write(entry.getValue());
        }
        json.writeEndObject();
      }
      default -> json.writeString(value.toString());
    }
  }
}
