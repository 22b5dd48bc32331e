package com.lokryn.ducklake;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The order of the packages: each may use those that it names, and no others. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("com.lokryn.ducklake", "org.duckdb");

  @Test
  void packagesUseEachOtherInOneDirection() {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("com.lokryn.ducklake..", "org.duckdb..")
        .layer("program")
        .definedBy("com.lokryn.ducklake")
        .layer("cli")
        .definedBy("..ducklake.cli..")
        .layer("app")
        .definedBy("..ducklake.app..")
        .layer("doctor")
        .definedBy("..ducklake.doctor..")
        .layer("client")
        .definedBy("..ducklake.client..")
        .layer("flight")
        .definedBy("..ducklake.flight..")
        .layer("http")
        .definedBy("..ducklake.http..")
        .layer("query")
        .definedBy("..ducklake.query..")
        .layer("lake")
        .definedBy("..ducklake.lake..")
        .layer("cache")
        .definedBy("..ducklake.cache..")
        .layer("gate")
        .definedBy("..ducklake.gate..")
        .layer("engine")
        .definedBy("..ducklake.engine..")
        .layer("metering")
        .definedBy("..ducklake.metering..")
        .layer("aws")
        .definedBy("..ducklake.aws..")
        .layer("auth")
        .definedBy("..ducklake.auth..")
        .layer("config")
        .definedBy("..ducklake.config..")
        .layer("access")
        .definedBy("..ducklake.access..")
        .layer("observe")
        .definedBy("..ducklake.observe..")
        .layer("ipc")
        .definedBy("..ducklake.ipc..")
        .layer("driver")
        .definedBy("org.duckdb..")
        .whereLayer("program")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("cli")
        .mayOnlyBeAccessedByLayers("program")
        .whereLayer("app")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("doctor")
        .mayOnlyBeAccessedByLayers("cli", "app")
        .whereLayer("flight")
        .mayOnlyBeAccessedByLayers("app")
        .whereLayer("http")
        .mayOnlyBeAccessedByLayers("app")
        .whereLayer("query")
        .mayOnlyBeAccessedByLayers("cli", "app", "flight")
        .whereLayer("metering")
        .mayOnlyBeAccessedByLayers("cli", "app")
        .whereLayer("lake")
        .mayOnlyBeAccessedByLayers("cli", "app", "doctor", "metering")
        .whereLayer("client")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("aws")
        .mayOnlyBeAccessedByLayers("cli", "app", "doctor", "metering")
        .whereLayer("auth")
        .mayOnlyBeAccessedByLayers("cli", "app", "doctor", "flight")
        .whereLayer("ipc")
        .mayOnlyBeAccessedByLayers("flight")
        .whereLayer("config")
        .mayOnlyBeAccessedByLayers("cli", "app", "doctor", "metering", "aws", "auth", "lake")
        .whereLayer("cache")
        .mayOnlyBeAccessedByLayers("app", "query")
        .whereLayer("gate")
        .mayOnlyBeAccessedByLayers("app", "query")
        .whereLayer("engine")
        .mayOnlyBeAccessedByLayers(
            "cli", "app", "doctor", "metering", "flight", "query", "cache", "gate", "lake")
        .check(CLASSES);
  }

  @Test
  void theEngineKnowsNoWire() {
    noClasses()
        .that()
        .resideInAnyPackage("..ducklake.engine..", "..ducklake.lake..", "..ducklake.query..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.grpc..", "org.apache.arrow.flight..")
        .check(CLASSES);
  }

  @Test
  void onlyOnePackageKnowsAws() {
    noClasses()
        .that()
        .resideOutsideOfPackage("..ducklake.aws..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("software.amazon..")
        .check(CLASSES);
  }

  /** The server's parts get what they need of AWS handed in; a local lake loads none of it. */
  @Test
  void theServersPartsDoNotAskAws() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "..ducklake.engine..",
            "..ducklake.query..",
            "..ducklake.flight..",
            "..ducklake.config..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("..ducklake.aws..")
        .check(CLASSES);
  }

  @Test
  void theClientKnowsNothingOfTheServer() {
    noClasses()
        .that()
        .resideInAPackage("..ducklake.client..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "..ducklake.app..",
            "..ducklake.flight..",
            "..ducklake.query..",
            "..ducklake.lake..",
            "..ducklake.engine..",
            "..ducklake.aws..",
            "..ducklake.config..")
        .check(CLASSES);
  }

  @Test
  void onlyCommandsPrint() {
    noClasses()
        .that()
        .resideOutsideOfPackages("..ducklake.cli..", "..ducklake.client..")
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(CLASSES);
  }

  @Test
  void nothingSleeps() {
    noClasses()
        .that()
        .resideInAPackage("com.lokryn.ducklake..")
        .should()
        .callMethod(Thread.class, "sleep", long.class)
        .check(CLASSES);
  }
}
