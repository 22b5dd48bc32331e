package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.query.Part;
import com.lokryn.ducklake.query.Portable;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What clients carry in the place of something that a server holds: signed, so that nobody makes or
 * alters one, and with all that another server of the lake needs to do the same, where it can.
 * Thread-safe.
 */
public final class Handles {
  private static final String MAC = "HmacSHA256";
  private static final int MAC_BYTES = 32;
  private static final int VERSION = 1;

  /** What a handle stands for. */
  enum Kind {
    RESULT('r'),
    PART('k'),
    PREPARED('p'),
    TRANSACTION('t'),
    POLL('q'),
    SESSION('s'),
    SESSION_WITH_STATE('S');

    private final char code;

    Kind(char code) {
      this.code = code;
    }

    private static Optional<Kind> of(int code) {
      return Arrays.stream(values()).filter(kind -> kind.code == code).findFirst();
    }
  }

  /**
   * A handle that was made by this server or by one that shares its secret.
   *
   * @param server which of them
   * @param id what that server knows it by
   * @param user whose it is
   * @param portable what another server needs to do the same
   * @param part of its result that is meant, if it is not all of it
   */
  record Handle(
      Kind kind,
      String server,
      String id,
      String user,
      Optional<Portable> portable,
      Optional<Part> part) {}

  /** Ready to sign: a copy of it is made for each. */
  private final Mac signer;

  private final String server;

  /** Without a secret no other server could read what is there for it. */
  private final boolean isShared;

  /**
   * @param secret shared by all servers that take each other's handles; none: only this one's are
   *     taken
   */
  public Handles(Optional<byte[]> secret) {
    var random = new SecureRandom();
    byte[] bytes = secret.orElseGet(() -> random(random, MAC_BYTES));
    this.signer = signer(bytes);
    this.isShared = secret.isPresent();
    this.server = HexFormat.of().formatHex(random(random, 8));
  }

  private static byte[] random(SecureRandom random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Makes a handle of this server's. */
  ByteString write(Kind kind, String id, String user, Optional<Portable> found) {
    return write(kind, id, user, found.filter(_ -> isShared), Optional.empty());
  }

  /** Makes the handle of a part, which this server keeps nothing for either. */
  ByteString write(Part part, String user) {
    return write(Kind.PART, "", user, Optional.of(part.query()), Optional.of(part));
  }

  private ByteString write(
      Kind kind, String id, String user, Optional<Portable> portable, Optional<Part> part) {
    var bytes = new ByteArrayOutputStream(128);
    try (var out = new DataOutputStream(bytes)) {
      out.writeByte(VERSION);
      out.writeByte(kind.code);
      out.writeUTF(server);
      out.writeUTF(id);
      out.writeUTF(user);
      out.writeBoolean(portable.isPresent());
      if (portable.isPresent()) {
        out.writeUTF(portable.get().namespace().catalog());
        out.writeUTF(portable.get().namespace().schema());
        byte[] sql = portable.get().sql().getBytes(StandardCharsets.UTF_8);
        out.writeInt(sql.length);
        out.write(sql);
      }
      if (part.isPresent()) {
        out.writeLong(part.get().snapshot());
        out.writeInt(part.get().number());
        out.writeInt(part.get().of());
        out.writeUTF(part.get().digest());
      }
      byte[] body = bytes.toByteArray();
      out.write(mac(body));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ByteString.copyFrom(bytes.toByteArray());
  }

  /**
   * Reads a handle.
   *
   * @param user who sends it
   * @throws QueryException when it was altered, is someone else's, or was made by a server with
   *     another secret
   */
  Handle read(Kind kind, ByteString handle, String user) {
    return verified(handle)
        .flatMap(Handles::parse)
        .filter(read -> read.kind == kind && read.user.equals(user))
        .orElseThrow(
            () ->
                new QueryException(
                    Problem.UNKNOWN_HANDLE,
                    "this handle was not made here for this user, or was altered; servers that share"
                        + " flight_token_secret take each other's"));
  }

  /** Does it stand for that, whoever's it is? */
  boolean isOf(Kind kind, ByteString handle) {
    return handle.size() > 2 && handle.byteAt(1) == kind.code;
  }

  /** Was it made by this very process? */
  boolean isOwn(Handle handle) {
    return handle.server.equals(server);
  }

  private Optional<byte[]> verified(ByteString handle) {
    if (handle.size() <= MAC_BYTES) {
      return Optional.empty();
    }
    byte[] bytes = handle.toByteArray();
    int length = bytes.length - MAC_BYTES;
    byte[] body = Arrays.copyOf(bytes, length);
    byte[] given = Arrays.copyOfRange(bytes, length, bytes.length);
    return MessageDigest.isEqual(mac(body), given) ? Optional.of(body) : Optional.empty();
  }

  private static Optional<Handle> parse(byte[] body) {
    try (var in = new DataInputStream(new ByteArrayInputStream(body))) {
      if (in.readByte() != VERSION) {
        return Optional.empty();
      }
      Optional<Kind> kind = Kind.of(in.readByte());
      String server = in.readUTF();
      String id = in.readUTF();
      String user = in.readUTF();
      Optional<Portable> portable = in.readBoolean() ? Optional.of(portable(in)) : Optional.empty();
      Optional<Part> part =
          kind.filter(Kind.PART::equals).isPresent() && portable.isPresent()
              ? Optional.of(part(portable.get(), in))
              : Optional.empty();
      return kind.map(known -> new Handle(known, server, id, user, portable, part));
    } catch (IOException e) {
      // Signed by a server of another version.
      return Optional.empty();
    }
  }

  private static Portable portable(DataInputStream in) throws IOException {
    var namespace = new Namespace(in.readUTF(), in.readUTF());
    byte[] sql = in.readNBytes(in.readInt());
    return new Portable(new String(sql, StandardCharsets.UTF_8), namespace);
  }

  private static Part part(Portable query, DataInputStream in) throws IOException {
    return new Part(query, in.readLong(), in.readInt(), in.readInt(), in.readUTF());
  }

  private static Mac signer(byte[] key) {
    try {
      Mac mac = Mac.getInstance(MAC);
      mac.init(new SecretKeySpec(key, MAC));
      mac.update("ducklake-flight handle".getBytes(StandardCharsets.US_ASCII));
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + MAC, e);
    }
  }

  private byte[] mac(byte[] body) {
    try {
      return ((Mac) signer.clone()).doFinal(body);
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("the JDK's own " + MAC + " can be copied", e);
    }
  }
}
