package com.lokryn.ducklake.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.client.Values;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;

class ArrowPrinterTest {
  private static final DictionaryEncoding ENCODING =
      new DictionaryEncoding(7, false, new ArrowType.Int(32, true));
  private static final Schema SCHEMA =
      new Schema(
          List.of(new Field("e", new FieldType(true, ENCODING.getIndexType(), ENCODING), null)));

  @Test
  void dictionariesThatChangeAreWrittenAndFreed() throws Exception {
    var out = new ByteArrayOutputStream();
    try (var allocator = new RootAllocator()) {
      try (var batch = VectorSchemaRoot.create(SCHEMA, allocator);
          var words = new VarCharVector("words", allocator);
          var printer = new ArrowPrinter(out, allocator)) {
        var dictionaries = new MapDictionaryProvider(new Dictionary(words, ENCODING));
        fill(batch, words, "a", "b");
        printer.start(batch, dictionaries);
        printer.batch(batch, dictionaries);
        fill(batch, words, "c", "d");
        printer.batch(batch, dictionaries);
        printer.end();
      }
      assertThat(read(out.toByteArray(), allocator)).containsExactly("a", "b", "c", "d");
    }
  }

  /** Closing the root allocator looks for what was left. */
  @Test
  void streamThatIsCutLeavesNothingAndGetsNoEnd() throws Exception {
    var out = new ByteArrayOutputStream();
    try (var allocator = new RootAllocator();
        var batch = VectorSchemaRoot.create(SCHEMA, allocator);
        var words = new VarCharVector("words", allocator);
        var printer = new ArrowPrinter(out, allocator)) {
      var dictionaries = new MapDictionaryProvider(new Dictionary(words, ENCODING));
      fill(batch, words, "a", "b");
      printer.start(batch, dictionaries);
      printer.batch(batch, dictionaries);
      int written = out.size();
      printer.close();
      assertThat(out.size()).isEqualTo(written);
    }
  }

  @Test
  void emptyResultOfAnEnumIsAStream() throws Exception {
    var out = new ByteArrayOutputStream();
    try (var allocator = new RootAllocator()) {
      try (var batch = VectorSchemaRoot.create(SCHEMA, allocator);
          var words = new VarCharVector("words", allocator);
          var printer = new ArrowPrinter(out, allocator)) {
        printer.start(batch, new MapDictionaryProvider(new Dictionary(words, ENCODING)));
        printer.end();
      }
      assertThat(read(out.toByteArray(), allocator)).isEmpty();
    }
  }

  private static void fill(VectorSchemaRoot batch, VarCharVector words, String... values) {
    var indices = (IntVector) batch.getVector(0);
    words.reset();
    for (int i = 0; i < values.length; i++) {
      words.setSafe(i, values[i].getBytes(StandardCharsets.UTF_8));
      indices.setSafe(i, i);
    }
    words.setValueCount(values.length);
    batch.setRowCount(values.length);
  }

  private static List<Object> read(byte[] stream, BufferAllocator allocator) throws Exception {
    var rows = new ArrayList<>();
    try (var reader = new ArrowStreamReader(new ByteArrayInputStream(stream), allocator)) {
      VectorSchemaRoot root = reader.getVectorSchemaRoot();
      while (reader.loadNextBatch()) {
        var values = new Values(reader);
        for (int row = 0; row < root.getRowCount(); row++) {
          rows.add(values.read(root.getSchema().getFields().getFirst(), root.getVector(0), row));
        }
      }
    }
    return rows;
  }
}
