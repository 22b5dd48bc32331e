package com.lokryn.ducklake.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The engine leaves enough for the rest of the process. */
class MachineMemoryTest {
  @ParameterizedTest
  @CsvSource({
    "24_000_000_000, 14_400_000_000",
    "2_000_000_000, 1_200_000_000",
    "1_500_000_000, 740_000_000",
    "1_073_741_824, 313_741_824",
    "536_870_912, 134_217_728",
  })
  void aShareOfAllAndLessOfLittle(String total, String engine) {
    assertThat(MachineMemory.defaultEngineBytes(bytes(total))).isEqualTo(bytes(engine));
  }

  private static long bytes(String text) {
    return Long.parseLong(text.replace("_", ""));
  }
}
