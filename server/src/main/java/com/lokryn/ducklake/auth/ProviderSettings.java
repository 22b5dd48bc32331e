package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import java.net.URI;
import java.util.Optional;

/**
 * The identity provider whose tokens are taken.
 *
 * @param keys where it publishes its keys
 * @param user claim with a user's name
 * @param role claim with a user's role
 * @param grants claim with a user's grants
 */
record ProviderSettings(
    String issuer, String audience, URI keys, String user, String role, String grants) {
  /** As the settings say; empty where there is none. */
  static Optional<ProviderSettings> of(ServerConfig config) {
    return config
        .find(Settings.FLIGHT_JWT_ISSUER)
        .map(
            issuer ->
                new ProviderSettings(
                    issuer,
                    config.get(Settings.FLIGHT_JWT_AUDIENCE),
                    config.get(Settings.FLIGHT_JWT_JWKS_URL),
                    config.get(Settings.FLIGHT_JWT_USER_CLAIM),
                    config.get(Settings.FLIGHT_JWT_ROLE_CLAIM),
                    config.get(Settings.FLIGHT_JWT_GRANTS_CLAIM)));
  }
}
