import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * Prints the notices of what a distribution is made of: each part of its sbom.xml with its licence, then each
 * licence text and notice that the parts' jars have, once, with those it belongs to.
 *
 * <p>{@code java bin/lib/ThirdParty.java DISTRIBUTION}
 */
final class ThirdParty {
  /** Licences and notices, also those of what a jar has taken in. */
  private static final Pattern NOTICE =
      Pattern.compile("(META-INF/(licen[cs]es?/.*)?)?(licen[cs]e|notice|copying)[^/]*", Pattern.CASE_INSENSITIVE);

  /** What is no jar, and so in no bill of materials. */
  private static final List<String> OTHERS =
      List.of(
          "DuckDB's extensions ducklake, httpfs and postgres_scanner: MIT, Stichting DuckDB Foundation;"
              + " https://duckdb.org",
          "runtime/: GPL-2.0 with the Classpath Exception; its notices are in runtime/legal");

  private ThirdParty() {}

  public static void main(String[] arguments) throws Exception {
    Path distribution = Path.of(arguments[0]);
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    out.println("ducklake-flight is made of these parts of others.");
    out.println();
    for (String part : parts(distribution.resolve("sbom.xml"))) {
      out.println(part);
    }
    OTHERS.forEach(out::println);
    for (var text : texts(distribution.resolve("lib")).entrySet()) {
      out.println();
      out.println("=".repeat(80));
      text.getValue().forEach(out::println);
      out.println("=".repeat(80));
      out.println(text.getKey());
    }
    out.flush();
  }

  private static List<String> parts(Path bill) throws Exception {
    var factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    Element root = factory.newDocumentBuilder().parse(bill.toFile()).getDocumentElement();
    var sorted = new TreeMap<String, String>();
    for (Element component : children(child(root, "components"))) {
      String name = text(component, "group") + ":" + text(component, "name");
      var licences = new ArrayList<String>();
      for (Element licence : children(child(component, "licenses"))) {
        // A choice between several is one text, in the place of elements.
        String all = licence.getTextContent().strip();
        String id = text(licence, "id");
        licences.add(!id.isEmpty() ? id : text(licence, "name").isEmpty() ? all : text(licence, "name"));
      }
      String of = String.join(", ", licences);
      sorted.put(name, name + " " + text(component, "version") + ": " + of);
    }
    return List.copyOf(sorted.values());
  }

  /** Each text, and "jar: file" of all who have it. */
  private static Map<String, List<String>> texts(Path libraries) throws IOException {
    var found = new LinkedHashMap<String, List<String>>();
    try (var files = Files.list(libraries)) {
      for (Path jar : files.filter(file -> file.toString().endsWith(".jar")).sorted().toList()) {
        try (var zip = new ZipFile(jar.toFile())) {
          for (var entry : zip.stream().filter(e -> !e.isDirectory()).toList()) {
            if (NOTICE.matcher(entry.getName()).matches()
                && !entry.getName().toLowerCase(Locale.ROOT).endsWith(".class")) {
              String text =
                  new String(zip.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8)
                      .replace("\r\n", "\n")
                      .strip();
              found
                  .computeIfAbsent(text, t -> new ArrayList<>())
                  .add(jar.getFileName() + ": " + entry.getName());
            }
          }
        }
      }
    }
    return found;
  }

  private static Element child(Element parent, String name) {
    return children(parent).stream()
        .filter(element -> element.getTagName().equals(name))
        .findFirst()
        .orElseGet(() -> parent.getOwnerDocument().createElement(name));
  }

  private static String text(Element parent, String name) {
    return child(parent, name).getTextContent().strip();
  }

  private static List<Element> children(Element parent) {
    var found = new ArrayList<Element>();
    for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element element) {
        found.add(element);
      }
    }
    return found;
  }
}
