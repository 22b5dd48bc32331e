package com.lokryn.ducklake.doctor;

import com.lokryn.ducklake.auth.ProviderCheck;
import com.lokryn.ducklake.auth.TlsFiles;
import com.lokryn.ducklake.auth.Users;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Passed;
import com.lokryn.ducklake.config.Finding.Unneeded;
import com.lokryn.ducklake.config.Finding.Untried;
import com.lokryn.ducklake.config.FlightUser;
import com.lokryn.ducklake.config.SecretSource;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What reading the configuration told. */
final class ConfigurationChecks {
  private ConfigurationChecks() {}

  static Finding settings(Subject subject) {
    List<String> problems = subject.problems();
    if (!problems.isEmpty()) {
      return new Failed(
          new StartProblem(
              Kind.CONFIGURATION,
              String.join("; ", problems),
              "correct these settings; 'ducklake-flight serve --help' lists all of them"));
    }
    return subject
        .failure()
        .<Finding>map(_ -> new Untried("Secrets Manager does not work"))
        .orElseGet(() -> new Passed(subject.source()));
  }

  static Finding users(Subject subject) {
    String key = Settings.FLIGHT_USERS.key();
    Optional<List<FlightUser>> users = subject.config().find(Settings.FLIGHT_USERS);
    Optional<String> problem =
        subject.problems().stream().filter(text -> text.startsWith(key + " ")).findFirst();
    if (problem.isPresent()) {
      return new Failed(
          new StartProblem(
              Kind.CONFIGURATION,
              problem.get(),
              "correct it; 'ducklake-flight serve --help' says what it looks like"));
    }
    if (users.isEmpty()) {
      return new Unneeded(key + " is not set");
    }
    try {
      var _ = Users.configured(subject.config());
      return new Passed("%d users".formatted(users.get().size()));
    } catch (StartException e) {
      return new Failed(e.problem());
    }
  }

  static Finding providerKeys(Subject subject) {
    return ProviderCheck.of(subject.config());
  }

  static Finding tls(Subject subject) {
    Optional<TlsFiles> files = TlsFiles.of(subject.config());
    if (files.isEmpty()) {
      return new Unneeded(Settings.FLIGHT_TLS_CERTIFICATE.key() + " is not set");
    }
    try {
      return new Passed(files.get().load(Instant.now()).sentence());
    } catch (StartException e) {
      return new Failed(e.problem());
    }
  }

  static Finding secret(Subject subject) {
    return subject
        .failure()
        .<Finding>map(Failed::new)
        .orElseGet(
            () ->
                subject
                    .answer()
                    .map(ConfigurationChecks::secret)
                    .orElseGet(() -> new Unneeded("the configuration is " + subject.source())));
  }

  private static Finding secret(SecretSource.Answer answer) {
    return switch (answer) {
      case SecretSource.Found _ -> new Passed("it can");
      case SecretSource.Binary _ -> new Passed("it can, but holds bytes and no text");
      case SecretSource.Absent(var reason, _) ->
          new Unneeded("there is none, the environment is the source: " + reason);
      case SecretSource.NotAccessible(var kind, var reason, var remedy) ->
          new Failed(new StartProblem(kind, reason, remedy));
      case SecretSource.Failed(var problem) -> new Failed(problem);
    };
  }

  static Finding secretKey(Subject subject) {
    Finding read = secret(subject);
    return switch (read) {
      case Passed _ -> new Passed("the secret could be decrypted, with whatever key");
      case Unneeded _, Untried _ -> read;
      case Failed(var problem) ->
          problem.text().contains("KMS") ? read : new Untried("the secret cannot be read");
    };
  }
}
