package com.lokryn.ducklake.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineExceptionTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "Parser Error: syntax error at or near \"selec\"|SYNTAX",
        "Catalog Error: Table with name nope does not exist!|MISSING",
        "Catalog Error: Table with name \"t\" already exists!|EXISTS",
        "Binder Error: Referenced column \"x\" not found|BINDER",
        "Conversion Error: Could not convert string 'x' to INT32|CONVERSION",
        "TransactionContext Error: Failed to commit: Transaction conflict - x|CONFLICT",
        "TransactionContext Error: Current transaction is aborted (please ROLLBACK)|TRANSACTION",
        "Out of Memory Error: could not allocate|OUT_OF_MEMORY",
        "TransactionContext Error: Failed to commit: failed to allocate data|COMMIT_OUT_OF_MEMORY",
        "TransactionContext Error: cannot rollback - no transaction is active|NO_TRANSACTION",
        "INTERRUPT Error: Interrupted!|INTERRUPTED",
        "Permission Error: Cannot access file|PERMISSION",
        "IO Error: Could not connect to server|IO",
        "FATAL Error: Failed: database has been invalidated|FATAL",
        "Something Else Error: x|UNKNOWN",
      })
  void tellsKindsApart(String text, EngineError error) {
    assertThat(EngineException.of(new SQLException(text)).error()).isEqualTo(error);
  }

  @Test
  void takesTheDriversFramesOff() {
    assertThat(
            EngineException.of(
                    new SQLException(
                        "Invalid Input Error: Attempting to execute an unsuccessful or closed"
                            + " pending query result\nError: Catalog Error: no\nLINE 1: x"))
                .text())
        .isEqualTo("Catalog Error: no\nLINE 1: x");
    assertThat(
            EngineException.of(
                    new IOException(
                        "[errno -1] CDataJniException{errno=-1, message=Invalid Input Error:"
                            + " boom}"))
                .text())
        .isEqualTo("Invalid Input Error: boom");
    assertThat(
            EngineException.of(
                    new SQLException("INTERNAL Error: oops\n\nStack Trace:\n/usr/lib/libduckdb.so"))
                .text())
        .isEqualTo("INTERNAL Error: oops");
  }

  @Test
  void knowsWhenTheInstanceIsLost() {
    assertThat(EngineException.of(new SQLException("INTERNAL Error: x")).isInstanceLost()).isTrue();
    assertThat(EngineException.of(new SQLException("Binder Error: x")).isInstanceLost()).isFalse();
  }
}
