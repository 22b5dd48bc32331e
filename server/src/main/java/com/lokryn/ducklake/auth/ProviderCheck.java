package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Passed;
import com.lokryn.ducklake.config.Finding.Unneeded;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.io.IOException;
import java.net.URI;
import java.util.Optional;

/** Whether the keys of the identity provider can be fetched, and tokens be checked with them. */
public final class ProviderCheck {
  private ProviderCheck() {}

  /** Fetches them once, as a server would. */
  public static Finding of(ServerConfig config) {
    Optional<URI> url = config.find(Settings.FLIGHT_JWT_JWKS_URL);
    if (url.isEmpty()) {
      return new Unneeded(Settings.FLIGHT_JWT_ISSUER.key() + " is not set");
    }
    try {
      int usable = ProviderKeys.count(url.get(), ProviderKeys.Timing.USUAL.answer());
      return usable > 0
          ? new Passed("%d that tokens may be signed with".formatted(usable))
          : new Failed(
              new StartProblem(
                  Kind.CONFIGURATION,
                  "%s has no key of RSA or EC for signatures".formatted(url.get()),
                  "set flight_jwt_jwks_url to what the provider's openid-configuration names as"
                      + " jwks_uri, and have it sign with RS256 or ES256"));
    } catch (IOException e) {
      String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      return new Failed(
          new StartProblem(
              Kind.DEPENDENCY,
              "fetching %s: %s".formatted(url.get(), why),
              "set flight_jwt_jwks_url to what the provider's openid-configuration names as"
                  + " jwks_uri, and let the server's network reach it"));
    }
  }
}
