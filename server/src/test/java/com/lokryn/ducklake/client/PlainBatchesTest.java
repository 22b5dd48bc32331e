package com.lokryn.ducklake.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;

class PlainBatchesTest {
  private static final DictionaryEncoding ENCODING =
      new DictionaryEncoding(7, false, new ArrowType.Int(32, true));
  private static final Field INDICES =
      new Field("w", new FieldType(true, ENCODING.getIndexType(), ENCODING), null);

  /** [{'w': word}], the same value in a list and a struct around it. */
  private static final Schema SCHEMA =
      new Schema(
          List.of(
              new Field(
                  "l",
                  FieldType.nullable(ArrowType.List.INSTANCE),
                  List.of(
                      new Field(
                          "s", FieldType.nullable(ArrowType.Struct.INSTANCE), List.of(INDICES))))));

  @Test
  void nestedDictionariesThatChangeBecomeValues() throws Exception {
    byte[] stream = stream(new int[] {0, 1}, List.of("a", "b"), List.of("ccc", "dd"));
    try (var allocator = new RootAllocator();
        var reader = new ArrowStreamReader(new ByteArrayInputStream(stream), allocator);
        var batches = new PlainBatches(reader, allocator)) {
      var words = batches.root().getSchema().getFields().getFirst().getChildren().getFirst();
      assertThat(words.getChildren().getFirst().getDictionary()).isNull();
      assertThat(words.getChildren().getFirst().getType()).isEqualTo(ArrowType.Utf8.INSTANCE);
      assertThat(batches.loadNext()).isTrue();
      assertThat(text(batches)).isEqualTo("[{\"w\":\"a\"}] [{\"w\":\"b\"}]");
      assertThat(batches.loadNext()).isTrue();
      assertThat(text(batches)).isEqualTo("[{\"w\":\"ccc\"}] [{\"w\":\"dd\"}]");
      assertThat(batches.loadNext()).isFalse();
    }
  }

  @Test
  void indexOutsideOfTheDictionaryIsRefused() throws Exception {
    for (int index : new int[] {-1, 2, 1_000_000}) {
      byte[] stream = stream(new int[] {0, index}, List.of("a", "b"));
      try (var allocator = new RootAllocator();
          var reader = new ArrowStreamReader(new ByteArrayInputStream(stream), allocator);
          var batches = new PlainBatches(reader, allocator)) {
        assertThatThrownBy(batches::loadNext)
            .hasMessage("the column w has the index %d, and its dictionary 2 values", index);
      }
    }
  }

  private static String text(PlainBatches batches) {
    var list = batches.root().getVector(0);
    return list.getObject(0) + " " + list.getObject(1);
  }

  @SafeVarargs
  private static byte[] stream(int[] indices, List<String>... dictionaries) throws Exception {
    var out = new ByteArrayOutputStream();
    try (var allocator = new RootAllocator();
        var words = new VarCharVector("words", allocator);
        var root = VectorSchemaRoot.create(SCHEMA, allocator);
        var writer =
            new ArrowStreamWriter(
                root, new MapDictionaryProvider(new Dictionary(words, ENCODING)), out)) {
      var list = (ListVector) root.getVector(0);
      var struct = (StructVector) list.getDataVector();
      for (int row = 0; row < indices.length; row++) {
        list.startNewValue(row);
        struct.setIndexDefined(row);
        ((IntVector) struct.getChild("w")).setSafe(row, indices[row]);
        list.endValue(row, 1);
      }
      root.setRowCount(indices.length);
      for (List<String> dictionary : dictionaries) {
        words.reset();
        for (int i = 0; i < dictionary.size(); i++) {
          words.setSafe(i, dictionary.get(i).getBytes(StandardCharsets.UTF_8));
        }
        words.setValueCount(dictionary.size());
        writer.writeBatch();
      }
    }
    return out.toByteArray();
  }
}
