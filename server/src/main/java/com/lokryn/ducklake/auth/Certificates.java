package com.lokryn.ducklake.auth;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/** What certificates say of their holders. */
final class Certificates {
  private static final String COMMON_NAME = "CN";

  private Certificates() {}

  /** The common name of its subject, where there is one and no second that could be meant. */
  static Optional<String> commonName(X509Certificate certificate) {
    try {
      List<String> names =
          new LdapName(certificate.getSubjectX500Principal().getName())
              .getRdns().stream()
                  .filter(rdn -> rdn.size() == 1 && rdn.getType().equalsIgnoreCase(COMMON_NAME))
                  .map(Rdn::getValue)
                  .filter(String.class::isInstance)
                  .map(String.class::cast)
                  .toList();
      return names.size() == 1 ? Optional.of(names.getFirst()) : Optional.empty();
    } catch (InvalidNameException e) {
      return Optional.empty();
    }
  }
}
