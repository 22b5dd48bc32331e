package com.lokryn.ducklake.lake;

import java.nio.file.Path;

/** Where a lake is: its catalog and its data. */
public sealed interface LakeLocation {
  /** A lake in one directory: the catalog in a DuckDB file, the data in Parquet files beside it. */
  record Local(Path directory) implements LakeLocation {
    Path catalog() {
      return directory.resolve("catalog.ducklake");
    }

    Path data() {
      return directory.resolve("data");
    }
  }
}
