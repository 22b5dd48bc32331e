package com.lokryn.ducklake.auth;

import static com.lokryn.ducklake.testing.TestingCertificates.authority;
import static com.lokryn.ducklake.testing.TestingCertificates.server;
import static com.lokryn.ducklake.testing.TestingCertificates.write;
import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.auth.TlsWatch.Timing;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.Readiness;
import com.lokryn.ducklake.testing.TestingCertificates.Issued;
import com.lokryn.ducklake.testing.TestingCertificates.Span;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsWatchTest {
  private static final Issued ROOT = authority("root");
  private static final Issued OLD = server(ROOT, "old", Span.days(30));
  private static final Issued NEW = server(ROOT, "new", Span.days(60));

  @TempDir private Path directory;
  private final Readiness readiness = new Readiness();
  private final List<X509Certificate> used = new ArrayList<>();
  private Instant now = Instant.now();
  private Path certificate;
  private Path key;
  private TlsWatch watch;

  @BeforeEach
  void begin() throws Exception {
    certificate = directory.resolve("tls.crt");
    key = directory.resolve("tls.key");
    OLD.writeTo(certificate, key);
    watch =
        new TlsWatch(
            new TlsFiles(certificate, key, null),
            new Timing(Duration.ofDays(1), Duration.ofDays(7)),
            () -> now,
            readiness);
    watch.start(material -> used.add(material.chain().getFirst()));
  }

  @AfterEach
  void end() {
    watch.close();
  }

  @Test
  void newFilesAreUsedOnce() throws Exception {
    watch.look();
    assertThat(used).isEmpty();
    NEW.writeTo(certificate, key);
    watch.look();
    watch.look();
    assertThat(used).containsExactly(NEW.certificate());
    assertThat(detail()).isEqualTo("ok");
  }

  /** What is in a file counts, not its time. */
  @Test
  void aFileThatKeepsItsTime() throws Exception {
    var time = Files.getLastModifiedTime(certificate);
    NEW.writeTo(certificate, key);
    Files.setLastModifiedTime(certificate, time);
    Files.setLastModifiedTime(key, time);
    watch.look();
    assertThat(used).containsExactly(NEW.certificate());
  }

  @Test
  void halfOfASwapIsWaitedOut() throws Exception {
    write(certificate, NEW.pem());
    watch.look();
    watch.look();
    assertThat(detail()).isEqualTo("ok");
    write(key, NEW.keyPem());
    watch.look();
    assertThat(used).containsExactly(NEW.certificate());
    assertThat(detail()).isEqualTo("ok");
  }

  @Test
  void filesThatStayBrokenAreShownAndChangeNothing() throws Exception {
    write(certificate, "broken");
    watch.look();
    watch.look();
    watch.look();
    assertThat(used).isEmpty();
    assertThat(watch.material().chain()).containsExactly(OLD.certificate());
    assertThat(detail())
        .startsWith("the files of the certificate cannot be used; the one in use ends at")
        .doesNotContain(directory.toString());
    assertThat(readiness.isReady()).isTrue();
    write(certificate, OLD.pem());
    watch.look();
    assertThat(detail()).isEqualTo("ok");
    assertThat(used).isEmpty();
  }

  @Test
  void anExpiredOneIsNotTaken() throws Exception {
    server(ROOT, "past", Span.days(-1)).writeTo(certificate, key);
    for (int i = 0; i < 3; i++) {
      watch.look();
    }
    assertThat(used).isEmpty();
    assertThat(detail()).startsWith("the files of the certificate cannot be used");
  }

  @Test
  void theEndIsAnnounced() {
    Instant end = OLD.certificate().getNotAfter().toInstant();
    now = end.minus(Duration.ofDays(7)).minusSeconds(1);
    watch.look();
    assertThat(detail()).isEqualTo("ok");
    now = end.minus(Duration.ofDays(7));
    watch.look();
    assertThat(detail()).isEqualTo("the certificate in use ends at " + end);
    assertThat(readiness.isReady()).isTrue();
    now = end;
    watch.look();
    assertThat(detail()).isEqualTo("the certificate in use ended at " + end);
  }

  /** Some live for a day: that is no reason to warn all the time. */
  @Test
  void shortLivedOnesAreAnnouncedInTheirLastThird() throws Exception {
    Issued day = server(ROOT, "day", new Span(now.minusSeconds(60), now.plusSeconds(86_340)));
    day.writeTo(certificate, key);
    watch.look();
    assertThat(used).containsExactly(day.certificate());
    assertThat(detail()).isEqualTo("ok");
    now = now.plusSeconds(60_000);
    watch.look();
    assertThat(detail()).startsWith("the certificate in use ends at");
  }

  private String detail() {
    return readiness.state().conditions().stream()
        .filter(condition -> condition.check() == CheckId.TLS)
        .findFirst()
        .orElseThrow()
        .detail();
  }
}
