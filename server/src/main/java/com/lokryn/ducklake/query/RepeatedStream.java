package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineStatement;
import java.util.Iterator;
import java.util.List;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** A query that was bound to several rows of parameters: its results, one behind the other. */
final class RepeatedStream implements BatchStream {
  private final EngineStatement statement;
  private final Iterator<List<@Nullable Object>> rows;
  private final Schema schema;
  private final VectorSchemaRoot root;
  private BatchStream current;

  RepeatedStream(EngineStatement statement, List<List<@Nullable Object>> rows)
      throws EngineException {
    this.statement = statement;
    this.rows = rows.iterator();
    this.current = execute();
    this.schema = current.schema();
    this.root =
        VectorSchemaRoot.create(
            current.root().getSchema(), current.root().getVector(0).getAllocator());
  }

  private BatchStream execute() throws EngineException {
    statement.bind(rows.next());
    return statement.executeQuery();
  }

  @Override
  public boolean next() throws EngineException {
    while (!current.next()) {
      if (!rows.hasNext()) {
        return false;
      }
      current.close();
      current = execute();
      if (!current.schema().equals(schema)) {
        throw new EngineException(
            EngineError.INVALID_INPUT,
            "Invalid Input Error: the rows of parameters have to give the same column types; cast"
                + " the parameters, for instance ?::INTEGER");
      }
    }
    try (var batch = new VectorUnloader(current.root()).getRecordBatch()) {
      new VectorLoader(root).load(batch);
    }
    return true;
  }

  @Override
  public Schema schema() {
    return schema;
  }

  @Override
  public VectorSchemaRoot root() {
    return root;
  }

  @Override
  public DictionaryProvider dictionaries() {
    return current.dictionaries();
  }

  @Override
  public void close() throws EngineException {
    root.close();
    current.close();
  }
}
