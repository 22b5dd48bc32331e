package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What waits of an upload is less where many share a small machine. */
class UploadStreamTest {
  @ParameterizedTest
  @CsvSource({"1024, 1, 16", "32, 1, 16", "32, 8, 4", "32, 64, 1", "32, 0, 16"})
  void uploadsShareWhatMayWait(long ofAllMiB, int uploads, long eachMiB) {
    assertThat(UploadStream.readAhead(ofAllMiB << 20, uploads)).isEqualTo(eachMiB << 20);
  }
}
