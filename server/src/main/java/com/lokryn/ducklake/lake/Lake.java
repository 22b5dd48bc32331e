package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.Engine;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.NewestSnapshot;
import java.util.List;
import java.util.Optional;

/** A lake: where its catalog and its data are, and how they come into an engine. */
public sealed interface Lake permits LocalLake, RemoteLake {
  /** The DuckDB extensions that it needs, in the order in which they are loaded. */
  List<String> extensions();

  /** Looks at what has to be there before an engine is opened. */
  void prepare() throws StartException;

  /** Attaches it under {@link LakeCatalog#NAME}, in an engine with the extensions loaded. */
  void attach(Engine engine) throws EngineException;

  /** Below which SQL may read and write files: the lake's data, with a slash at the end. */
  String dataPath();

  /** How many connections to its catalog an engine may hold; 0 where it has none. */
  int maxConnections();

  /** Who tells its newest snapshot without an engine; empty where that would save nothing. */
  Optional<NewestSnapshot> newestSnapshot();

  /** Why it cannot be attached or read, for an operator. */
  StartException explain(EngineException failure);
}
