package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.flight.Handles.Kind;
import com.lokryn.ducklake.query.Part;
import com.lokryn.ducklake.query.Portable;
import com.lokryn.ducklake.query.QueryException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HandlesTest {
  private static final Optional<Portable> READ =
      Optional.of(new Portable("SELECT 'ä'", new Namespace("lake", "main")));

  private static Handles shared() {
    return new Handles(Optional.of("the same secret".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void belongToOneUserAndOneKind() {
    Handles handles = shared();
    ByteString handle = handles.write(Kind.RESULT, "id", "ana", READ);
    assertThat(handles.read(Kind.RESULT, handle, "ana").id()).isEqualTo("id");
    assertThatThrownBy(() -> handles.read(Kind.RESULT, handle, "bo"))
        .isInstanceOf(QueryException.class);
    assertThatThrownBy(() -> handles.read(Kind.PREPARED, handle, "ana"))
        .isInstanceOf(QueryException.class);
  }

  @Test
  void carryTheirStatementToServersWithTheSameSecretOnly() {
    ByteString handle = shared().write(Kind.RESULT, "id", "ana", READ);
    Handles other = shared();
    assertThat(other.read(Kind.RESULT, handle, "ana").portable()).isEqualTo(READ);
    assertThat(other.isOwn(other.read(Kind.RESULT, handle, "ana"))).isFalse();

    Handles alone = new Handles(Optional.empty());
    ByteString small = alone.write(Kind.RESULT, "id", "ana", READ);
    assertThat(alone.read(Kind.RESULT, small, "ana").portable()).isEmpty();
    assertThatThrownBy(() -> other.read(Kind.RESULT, small, "ana"))
        .isInstanceOf(QueryException.class)
        .hasMessageContaining("flight_token_secret");
  }

  @Test
  void partsAreCarriedWithOrWithoutASecretOfSeveralServers() {
    var part = new Part(READ.get(), 1L << 40, 3, 4, "digest");
    for (Handles handles : new Handles[] {shared(), new Handles(Optional.empty())}) {
      ByteString handle = handles.write(part, "ana");
      assertThat(handles.isOf(Kind.PART, handle)).isTrue();
      assertThat(handles.read(Kind.PART, handle, "ana").part()).isEqualTo(Optional.of(part));
      assertThatThrownBy(() -> handles.read(Kind.RESULT, handle, "ana"))
          .isInstanceOf(QueryException.class);
      assertThatThrownBy(() -> handles.read(Kind.PART, handle, "bo"))
          .isInstanceOf(QueryException.class);
    }
  }
}
