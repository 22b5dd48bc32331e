package org.duckdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.AccessFlags;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.reflect.AccessFlag;
import java.net.URL;
import java.sql.DriverManager;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The class that takes the place of one of the driver's has what the driver calls. */
class JfrMemoryMonitorTest {
  @Test
  void hasTheMethodsOfTheDriversOwn() throws Exception {
    List<URL> classes =
        Collections.list(
            JfrMemoryMonitor.class
                .getClassLoader()
                .getResources("org/duckdb/JfrMemoryMonitor.class"));

    assertThat(classes).hasSize(2);
    assertThat(methods(classes.getFirst())).isEqualTo(methods(classes.getLast()));
  }

  @Test
  void isEnoughForConnections() {
    assertThatCode(
            () -> {
              try (var one = DriverManager.getConnection("jdbc:duckdb:")) {
                one.unwrap(DuckDBConnection.class).duplicate().close();
              }
            })
        .doesNotThrowAnyException();
  }

  private static Set<String> methods(URL url) {
    ClassModel parsed;
    try (InputStream in = url.openStream()) {
      parsed = ClassFile.of().parse(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return parsed.methods().stream()
        .filter(method -> !isPrivate(method.flags()))
        .map(method -> method.methodName().stringValue() + method.methodType().stringValue())
        .filter(method -> !method.startsWith("<clinit>"))
        .collect(Collectors.toSet());
  }

  private static boolean isPrivate(AccessFlags flags) {
    return flags.has(AccessFlag.PRIVATE);
  }
}
