package com.lokryn.ducklake.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.client.Values;
import java.io.IOException;
import java.io.Writer;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CellTextTest {
  /** DuckDB's own cast to text is what ours has to be. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.5::FLOAT",
        "100.0::DOUBLE",
        "1e10",
        "1e15",
        "-0.0::DOUBLE",
        "0.001",
        "123456789.125",
        "1.50::DECIMAL(5,2)",
        "true",
        "DATE '2024-02-29'",
        "TIME '12:34:56.7'",
        "TIME '24:00:00'",
        "TIMESTAMP '2024-01-02 03:04:05'",
        "TIMESTAMP '2024-01-02 03:04:05.000001'",
        "TIMESTAMPTZ '2024-01-02 03:04:05+00'",
        "INTERVAL '1 year'",
        "INTERVAL '25 months -3 days 100 hours 0.25 seconds'",
        "INTERVAL '-1 second'",
        "INTERVAL '0 seconds'",
        "'a\\xFF\\x00\\x27'::BLOB",
        "[1, NULL]",
        "['a', 'b c', 'd, e', '', 'NULL', ' f', 'it''s']",
        "{'a': 1, 'b': ['x']}",
        "MAP {'k': 1, 'l': NULL}",
        "union_value(s := 'x')",
        "'ok'::ENUM('no', 'ok')",
        "'nan'::DOUBLE",
        "'-inf'::FLOAT",
        "{'it''s': 'x'}",
        "UUID '11111111-2222-3333-4444-555555555555'"
      })
  void textIsDuckDbs(String sql) {
    String[] fields =
        Rows.print(
                "SELECT " + sql + " AS ours, (" + sql + ")::VARCHAR AS duckdbs", PairPrinter::new)
            .split("\t", -1);
    assertThat(fields[0]).isEqualTo(fields[1]);
  }

  /** Both columns, with a tab between. */
  private record PairPrinter(Writer out) implements ResultPrinter {
    @Override
    public void start(VectorSchemaRoot root, DictionaryProvider dictionaries) {}

    @Override
    public void batch(VectorSchemaRoot root, DictionaryProvider dictionaries) throws IOException {
      var values = new Values(dictionaries);
      var fields = root.getSchema().getFields();
      out.write(CellText.of(values.read(fields.get(0), root.getVector(0), 0)));
      out.write('\t');
      out.write(CellText.of(values.read(fields.get(1), root.getVector(1), 0)));
    }

    @Override
    public void end() {}

    @Override
    public void done(String sentence) {}
  }
}
