package com.lokryn.ducklake;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ConditionalExpressionTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** The page on troubles has every line in which the program says what is wrong, with what to do. */
class ErrorLinesTest {
  private static final Path ROOT = Path.of(System.getProperty("basedir", "."), "..");

  /** What is made with the text of an error. */
  private static final Set<String> TYPES =
      Set.of(
          "CommandFailure",
          "EngineException",
          "IllegalArgumentException",
          "IpcException",
          "ParameterException",
          "ProbeException",
          "QueryException",
          "Refusal",
          "Refused",
          "Setting.SecretTextException",
          "StartProblem");

  private static final Set<String> METHODS =
      Set.of(
          "cancel", "failed", "invalid", "malformed", "outOfOrder", "refused", "withDescription");

  /**
   * Of these the arguments after the text are its remedy, also where the text is only known at run
   * time.
   */
  private static final Set<String> WITH_REMEDY = Set.of("StartProblem", "ProbeException");

  /** What an IllegalArgumentException says there reaches an operator or a client. */
  private static final Set<String> ARGUMENTS = Set.of("access", "client", "config");

  /** Details of what the page has as "the Arrow data is not valid". */
  private static final String DETAILS = "ipc";

  private static final Pattern THREE_WORDS =
      Pattern.compile(".*\\p{L}{2,}.* .*\\p{L}{2,}.* .*\\p{L}.*");
  private static final Pattern PLACEHOLDER = Pattern.compile("%[0-9$.,]*[a-z]");
  private static final Pattern IN_SHELL =
      Pattern.compile("fail [0-9]+ ['\"](.*)['\"](?: ;;)?$", Pattern.MULTILINE);
  private static final Pattern IN_SHELL_VALUE = Pattern.compile("\\$(\\w+|\\{[^}]*}|\\([^)]*\\))");

  @Test
  void thePageHasEachLine() throws Exception {
    String page = Files.readString(ROOT.resolve("docs/troubleshooting.md"));
    assertThat(lines()).filteredOn(line -> !hasRow(page, line)).isEmpty();
  }

  @Test
  void thePageHasNoOthers() throws Exception {
    Set<String> lines = lines();
    assertThat(Files.readString(ROOT.resolve("docs/troubleshooting.md")).lines())
        .filteredOn(row -> row.startsWith("| `"))
        .filteredOn(row -> lines.stream().noneMatch(line -> row.startsWith(begin(line))))
        .isEmpty();
  }

  private static boolean hasRow(String page, String line) {
    return page.lines()
        .anyMatch(row -> row.startsWith(begin(line)) && row.length() > begin(line).length() + 5);
  }

  private static String begin(String line) {
    return "| `" + line.replace("|", "\\|") + "` | ";
  }

  private static Set<String> lines() throws IOException {
    var found = new TreeSet<String>();
    for (CompilationUnitTree unit : sources()) {
      String name = String.valueOf(unit.getPackageName());
      String place = name.substring(name.lastIndexOf('.') + 1);
      if (place.equals(DETAILS) && !unit.getSourceFile().getName().endsWith("IpcException.java")) {
        continue;
      }
      new TreeScanner<Void, Void>() {
        @Override
        public Void visitNewClass(NewClassTree made, Void nothing) {
          String type = made.getIdentifier().toString();
          if (type.equals("IllegalArgumentException") && !ARGUMENTS.contains(place)) {
            return super.visitNewClass(made, null);
          }
          if (WITH_REMEDY.contains(type)) {
            note(made.getArguments().subList(0, made.getArguments().size() - 1));
          } else if (TYPES.contains(type)) {
            note(made.getArguments());
          }
          return super.visitNewClass(made, null);
        }

        @Override
        public Void visitMethodInvocation(MethodInvocationTree call, Void nothing) {
          String name = call.getMethodSelect().toString();
          name = name.substring(name.lastIndexOf('.') + 1);
          if (name.equals("problem")) {
            note(call.getArguments().subList(0, Math.min(1, call.getArguments().size())));
          } else if (METHODS.contains(name)) {
            note(call.getArguments());
          }
          return super.visitMethodInvocation(call, null);
        }

        private void note(List<? extends ExpressionTree> arguments) {
          // The first that is a sentence: what comes after it is what to do.
          arguments.stream()
              .map(
                  argument ->
                      texts(argument).stream()
                          .filter(text -> THREE_WORDS.matcher(text).matches())
                          .toList())
              .filter(sentences -> !sentences.isEmpty())
              .limit(1)
              .forEach(found::addAll);
        }
      }.scan(unit, null);
    }
    try (Stream<Path> scripts = Files.walk(ROOT.resolve("bin"))) {
      for (Path script : scripts.filter(Files::isRegularFile).toList()) {
        IN_SHELL
            .matcher(Files.readString(script))
            .results()
            .map(match -> IN_SHELL_VALUE.matcher(match.group(1)).replaceAll("…"))
            .filter(text -> !text.startsWith("usage"))
            .forEach(found::add);
      }
    }
    return found;
  }

  private static Iterable<? extends CompilationUnitTree> sources() throws IOException {
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (var manager = compiler.getStandardFileManager(null, null, null);
        Stream<Path> files = Files.walk(ROOT.resolve("server/src/main/java"))) {
      var units =
          manager.getJavaFileObjectsFromPaths(
              files.filter(file -> file.toString().endsWith(".java")).toList());
      return ((JavacTask) compiler.getTask(null, manager, null, null, null, units)).parse();
    }
  }

  /** A text as it is written, with … for what only a run knows; two of them for a choice. */
  private static List<String> texts(ExpressionTree expression) {
    return switch (expression) {
      case LiteralTree literal -> List.of(String.valueOf(literal.getValue()));
      case ParenthesizedTree inner -> texts(inner.getExpression());
      case ConditionalExpressionTree choice ->
          Stream.concat(
                  texts(choice.getTrueExpression()).stream(),
                  texts(choice.getFalseExpression()).stream())
              .toList();
      case BinaryTree sum when sum.getKind() == Tree.Kind.PLUS ->
          texts(sum.getLeftOperand()).stream()
              .flatMap(left -> texts(sum.getRightOperand()).stream().map(left::concat))
              .toList();
      case MethodInvocationTree call
          when call.getMethodSelect() instanceof MemberSelectTree of
              && of.getIdentifier().contentEquals("formatted") ->
          texts(of.getExpression()).stream()
              .map(text -> PLACEHOLDER.matcher(text).replaceAll("…"))
              .toList();
      default -> List.of("…");
    };
  }

  /** Prints the lines, for those who write the page. */
  static void main() throws IOException {
    lines().forEach(System.out::println);
  }
}
