package com.lokryn.ducklake.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;

/**
 * How the text of a setting is read; what cannot be read says what it should look like. It has no
 * constants: an interface that has some is set up with its first implementation, and lambdas of
 * such a one are not in the cache of quick starts.
 */
public interface ValueType<T> {
  /**
   * Reads a text.
   *
   * @throws IllegalArgumentException with a sentence that goes on from the key, and does not hold
   *     the text
   */
  T read(String text);

  /** True for a value that nobody but the keeper of the secret should have been able to read. */
  default boolean isForSecretsOnly(T value) {
    return false;
  }

  static ValueType<String> text() {
    return text -> text;
  }

  static ValueType<Path> path() {
    return text -> {
      try {
        return Path.of(text);
      } catch (InvalidPathException e) {
        // The exception's own text repeats the value.
        throw new IllegalArgumentException("is the path of a file or a directory", e);
      }
    };
  }

  static ValueType<SecretText> secret() {
    return text -> {
      if (ValueForms.LINE_BREAK.matcher(text).find()) {
        throw new Setting.SecretTextException(
            "has a line break, perhaps at its end from the file that it was copied from: take it"
                + " out");
      }
      return new SecretText(text);
    };
  }

  /** One that nobody guesses: of 32 characters or more. */
  static ValueType<SecretText> longSecret() {
    return text -> {
      SecretText secret = secret().read(text);
      if (text.length() < 32) {
        throw new Setting.SecretTextException(
            "has less than 32 characters: make it of random ones, by openssl rand -hex 32 for"
                + " instance");
      }
      return secret;
    };
  }

  static ValueType<S3Location> s3Location() {
    return S3Location::parse;
  }

  /** The name of an AWS region; whether there is one of that name, AWS knows. */
  static ValueType<String> region() {
    return text -> {
      if (ValueForms.ZONE.matcher(text).matches()) {
        throw new IllegalArgumentException(
            "is a region such as us-east-1, without the letter of an availability zone");
      }
      if (!ValueForms.REGION.matcher(text).matches()) {
        throw new IllegalArgumentException("is the name of a region such as us-east-1");
      }
      return text;
    };
  }

  /** The name of a secret, or its ARN with or without the six characters at its end. */
  static ValueType<String> secretId() {
    return text -> {
      if (!ValueForms.SECRET_NAME.matcher(text).matches()
          && !ValueForms.SECRET_ARN.matcher(text).matches()) {
        throw new IllegalArgumentException(
            "is the name of a secret such as lokryn/ducklake/config, or its ARN");
      }
      return text;
    };
  }

  /** A product's code or dimension, as the API of AWS Marketplace metering takes them. */
  static ValueType<String> marketplaceName() {
    return text -> {
      if (!ValueForms.MARKETPLACE_NAME.matcher(text).matches()) {
        throw new IllegalArgumentException(
            "is a name of up to 255 letters, digits and -/=:_.@, as the seller's portal shows it");
      }
      return text;
    };
  }

  /** A public key, as PEM text or as the file that has it. */
  static ValueType<RSAPublicKey> publicKey() {
    return PemKeys::publicKey;
  }

  static ValueType<List<FlightUser>> flightUsers() {
    return new ValueType<>() {
      @Override
      public List<FlightUser> read(String text) {
        return FlightUser.parseAll(text);
      }

      @Override
      public boolean isForSecretsOnly(List<FlightUser> users) {
        return users.stream().anyMatch(user -> user.form() == FlightUser.Form.CLEAR);
      }
    };
  }

  static ValueType<Boolean> flag() {
    return text ->
        switch (text.toLowerCase(Locale.ROOT)) {
          case "true" -> true;
          case "false" -> false;
          default -> throw new IllegalArgumentException("is true or false");
        };
  }

  static ValueType<Integer> number(int least, int most) {
    return text -> {
      try {
        int value = Integer.parseInt(text);
        if (value >= least && value <= most) {
          return value;
        }
      } catch (NumberFormatException _) {
        // The same sentence.
      }
      throw new IllegalArgumentException("is a number from %d to %d".formatted(least, most));
    };
  }

  /** One of an enum's values, in lower case and with hyphens. */
  static <E extends Enum<E>> ValueType<E> oneOf(Class<E> type) {
    return named(type, name -> name.toLowerCase(Locale.ROOT).replace('_', '-'));
  }

  /** One of an enum's values, in lower case and with underscores. */
  static <E extends Enum<E>> ValueType<E> oneOfWords(Class<E> type) {
    return named(type, name -> name.toLowerCase(Locale.ROOT));
  }

  private static <E extends Enum<E>> ValueType<E> named(Class<E> type, UnaryOperator<String> name) {
    List<String> names =
        Arrays.stream(type.getEnumConstants()).map(value -> name.apply(value.name())).toList();
    return text -> {
      int at = names.indexOf(text.toLowerCase(Locale.ROOT));
      if (at < 0) {
        throw new IllegalArgumentException("is one of " + String.join(", ", names));
      }
      return type.getEnumConstants()[at];
    };
  }

  static ValueType<Duration> duration() {
    return text -> {
      Matcher matcher = ValueForms.NUMBER_UNIT.matcher(text);
      if (matcher.matches()) {
        long number = Long.parseLong(matcher.group(1));
        Optional<ChronoUnit> unit =
            switch (matcher.group(2)) {
              case "ms" -> Optional.of(ChronoUnit.MILLIS);
              case "s" -> Optional.of(ChronoUnit.SECONDS);
              case "m" -> Optional.of(ChronoUnit.MINUTES);
              case "h" -> Optional.of(ChronoUnit.HOURS);
              case "d" -> Optional.of(ChronoUnit.DAYS);
              default -> Optional.empty();
            };
        if (unit.isPresent()) {
          return Duration.of(number, unit.get());
        }
      }
      throw new IllegalArgumentException("is a duration such as 500ms, 3s, 5m, 1h or 7d");
    };
  }

  /** A duration within bounds. */
  static ValueType<Duration> duration(Duration least, Duration most) {
    return text -> {
      Duration value = duration().read(text);
      if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
        throw new IllegalArgumentException(
            "is a duration from %ds to %dd".formatted(least.toSeconds(), most.toDays()));
      }
      return value;
    };
  }

  /** The name of a claim, with dots before those that are inside of others. */
  static ValueType<String> claim() {
    return text -> {
      if (!ValueForms.CLAIM.matcher(text).matches()) {
        throw new IllegalArgumentException(
            "is the name of a claim such as role, or of one inside of another such as"
                + " realm_access.roles");
      }
      return text;
    };
  }

  /** Where keys are that decide who may come in: over TLS, or from this machine. */
  static ValueType<URI> keysUrl() {
    return text -> {
      URI url;
      try {
        url = new URI(text);
      } catch (URISyntaxException e) {
        // The exception's own text repeats the value.
        throw new IllegalArgumentException("is not a URL: " + ValueForms.KEYS_URL_EXPECTED, e);
      }
      String scheme = String.valueOf(url.getScheme()).toLowerCase(Locale.ROOT);
      String host = url.getHost();
      if (host == null || url.getUserInfo() != null) {
        throw new IllegalArgumentException("is not an address: " + ValueForms.KEYS_URL_EXPECTED);
      }
      boolean isOwn = ValueForms.LOOPBACK.matcher(host).matches();
      if (!scheme.equals("https") && !(scheme.equals("http") && isOwn)) {
        throw new IllegalArgumentException(
            "would be read without TLS from another machine: " + ValueForms.KEYS_URL_EXPECTED);
      }
      return url;
    };
  }

  /** An address of HTTP, with or without TLS. */
  static ValueType<URI> httpUrl() {
    return text -> {
      try {
        var url = new URI(text);
        String scheme = String.valueOf(url.getScheme()).toLowerCase(Locale.ROOT);
        if (url.getHost() != null && (scheme.equals("http") || scheme.equals("https"))) {
          return url;
        }
      } catch (URISyntaxException _) {
        // Its own text repeats the value.
      }
      throw new IllegalArgumentException("is not an address such as http://localhost:4318");
    };
  }

  static ValueType<DataSize> size() {
    return DataSize::parse;
  }
}
