package com.example;

import java.net.URI;
import java.util.Optional;

/** Where the server is, and who connects, from the environment. */
record Server(String host, int port, boolean tls, Optional<Login> login, Optional<String> authority) {
  record Login(String user, String password) {}

  static Server fromEnvironment() {
    URI url = URI.create(variable("FLIGHT_URL").orElse("grpc://127.0.0.1:31337"));
    Optional<Login> login =
        variable("FLIGHT_USER")
            .map(user -> new Login(user, variable("FLIGHT_PASSWORD").orElse("")));
    boolean tls = url.getScheme().equals("grpc+tls");
    return new Server(url.getHost(), url.getPort(), tls, login, variable("FLIGHT_TLS_CA"));
  }

  private static Optional<String> variable(String name) {
    return Optional.ofNullable(System.getenv(name)).filter(value -> !value.isEmpty());
  }
}
