package com.lokryn.ducklake.auth;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.Resource;
import com.nimbusds.jose.util.ResourceRetriever;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.text.ParseException;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that an identity provider signs with: fetched when the first token comes, kept, fetched
 * anew before they are old and when a token names one that is not among them, and used on for hours
 * when the provider cannot be reached. Asking for them may wait for an answer over the network, but
 * never for long. Thread-safe.
 */
final class ProviderKeys implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ProviderKeys.class);

  /** With public keys, and what the JDK and the library can verify without others. */
  static final Set<JWSAlgorithm> ALGORITHMS =
      Set.of(
          JWSAlgorithm.RS256,
          JWSAlgorithm.RS384,
          JWSAlgorithm.RS512,
          JWSAlgorithm.PS256,
          JWSAlgorithm.PS384,
          JWSAlgorithm.PS512,
          JWSAlgorithm.ES256,
          JWSAlgorithm.ES384,
          JWSAlgorithm.ES512);

  /**
   * When keys are fetched.
   *
   * @param keep how long they are used before they are fetched anew
   * @param ahead how long before the end of that time this begins, while they are used on
   * @param apart of two fetches for keys that were not found; two may come in a row
   * @param outage how long keys are used that cannot be fetched anew
   * @param answer how long the provider may take
   */
  record Timing(Duration keep, Duration ahead, Duration apart, Duration outage, Duration answer) {
    static final Timing USUAL =
        new Timing(
            Duration.ofMinutes(5),
            Duration.ofMinutes(1),
            Duration.ofSeconds(20),
            Duration.ofHours(4),
            Duration.ofSeconds(3));
  }

  private final KeysRequest request;
  private final JWKSource<SecurityContext> source;
  private volatile boolean wereFetched;
  private volatile boolean isFailing;

  ProviderKeys(URI url, Timing timing) {
    request = new KeysRequest(timing.answer);
    ResourceRetriever told = this::fetch;
    source =
        JWKSourceBuilder.<SecurityContext>create(url(url), told)
            .cache(timing.keep.toMillis(), timing.answer.plusSeconds(1).toMillis())
            .refreshAheadCache(timing.ahead.toMillis(), false)
            .rateLimited(timing.apart.toMillis())
            .outageTolerant(timing.outage.toMillis())
            .build();
  }

  private static URL url(URI url) {
    try {
      return url.toURL();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException("checked when the setting was read", e);
    }
  }

  JWKSource<SecurityContext> source() {
    return source;
  }

  /** Whether they could be fetched ever. */
  boolean wereFetched() {
    return wereFetched;
  }

  private Resource fetch(URL url) throws IOException {
    try {
      Resource fetched = request.retrieveResource(url);
      int usable = usable(fetched);
      if (isFailing || !wereFetched) {
        LOG.info("the identity provider's keys were fetched: {} can be used", usable);
      }
      isFailing = false;
      wereFetched = true;
      return fetched;
    } catch (IOException e) {
      if (!isFailing) {
        LOG.warn(
            "the identity provider's keys cannot be fetched: {}", String.valueOf(e.getMessage()));
      }
      isFailing = true;
      throw e;
    }
  }

  /**
   * Fetches the keys once.
   *
   * @return how many of them tokens may be signed with
   * @throws IOException with why that cannot be
   */
  static int count(URI url, Duration timeout) throws IOException {
    try (var request = new KeysRequest(timeout)) {
      return usable(request.retrieveResource(url(url)));
    }
  }

  private static int usable(Resource fetched) throws IOException {
    try {
      return (int)
          JWKSet.parse(fetched.getContent()).getKeys().stream()
              .filter(ProviderKeys::isUsable)
              .count();
    } catch (ParseException e) {
      throw new IOException("what it answered is not a set of keys in JSON", e);
    }
  }

  private static boolean isUsable(JWK key) {
    boolean isForSignatures = key.getKeyUse() == null || KeyUse.SIGNATURE.equals(key.getKeyUse());
    boolean isOfAlgorithm =
        key.getAlgorithm() == null
            || ALGORITHMS.stream()
                .anyMatch(known -> known.getName().equals(key.getAlgorithm().getName()));
    return (key instanceof RSAKey || key instanceof ECKey) && isForSignatures && isOfAlgorithm;
  }

  @Override
  public void close() {
    if (source instanceof AutoCloseable closeable) {
      try {
        closeable.close();
      } catch (Exception e) {
        LOG.debug("closing the keys failed", e);
      }
    }
    request.close();
  }
}
