package com.lokryn.ducklake.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.engine.OpenResults.Ahead;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many results have little ready each, and few as much as helps. */
class OpenResultsTest {
  private static final int MANY = 2 * Runtime.getRuntime().availableProcessors();
  private static final Namespace HOME = new Namespace("memory", "main");

  @Test
  void connectionsOfManyResultsRunLittleAhead(@TempDir Path directory) throws Exception {
    var options = new EngineOptions(2, 1 << 30, directory, 0, directory);
    try (var allocator = new RootAllocator();
        var engine = Engine.open(options, HOME, allocator)) {
      assertThat(ahead(engine)).isEqualTo(Ahead.USUAL);
      List<BatchStream> open = new ArrayList<>();
      for (int i = 0; i < MANY; i++) {
        open.add(stream(engine));
      }
      assertThat(ahead(engine)).isEqualTo(Ahead.LITTLE);
      for (BatchStream stream : open) {
        stream.close();
      }
      assertThat(ahead(engine)).isEqualTo(Ahead.USUAL);
    }
  }

  private static BatchStream stream(Engine engine) throws EngineException {
    return engine.connect(HOME).prepare(SqlText.of("SELECT * FROM range(1000000)")).executeQuery();
  }

  /** As the connection says that is used now; it is used again afterwards. */
  private static Ahead ahead(Engine engine) throws EngineException {
    EngineConnection connection = engine.connect(HOME);
    String size =
        connection.rows("SELECT current_setting('streaming_buffer_size')").getFirst().getFirst();
    connection.giveBack();
    return switch (size) {
      case "976.5 KiB" -> Ahead.USUAL;
      case "97.6 KiB" -> Ahead.LITTLE;
      default -> throw new AssertionError(size);
    };
  }
}
