package com.lokryn.ducklake.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * AWS Marketplace's metering as it speaks on the wire, JSON 1.1, on a free port: it signs
 * registrations, and keeps one usage record for a caller, dimension and hour. What it answers can
 * be scripted, request by request.
 */
public final class MeteringService implements AutoCloseable {
  public static final String REGISTER = "RegisterUsage";
  public static final String METER = "MeterUsage";

  /** The versions of the public key that the service knows. */
  private static final int MAX_KEY_VERSION = 100;

  private static final Duration MAX_AGE = Duration.ofHours(6);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern CALLER = Pattern.compile("Credential=([^/]+)/[^/]+/([^/]+)/");
  private static final KeyPair KEYS = newKeys();
  private static final KeyPair OTHER_KEYS = newKeys();

  /** One request: what was asked, by whom, where, and the body. */
  public record Request(String action, String accessKey, String region, JsonNode body) {}

  /** What a usage record is known by. */
  public record Slot(String accessKey, String dimension, Instant hour) {}

  /** How one request is answered. */
  public sealed interface Reply {}

  /** As AWS does when all is well. */
  public record Usual() implements Reply {}

  /** With an error. */
  public record Failure(int status, String type, String message) implements Reply {}

  /** The work is done, and then the connection is cut. */
  public record CutAfterwards() implements Reply {}

  /** The connection is cut, and nothing is done. */
  public record Cut() implements Reply {}

  /** No answer comes. */
  public record Hang() implements Reply {}

  /** A registration whose token is like this. */
  public record Signed(Token token) implements Reply {}

  /** Tokens, right and wrong ones. */
  public enum Token {
    RIGHT,
    LOWER_CASE,
    VERSION_AS_TEXT,
    ROTATED_KEY,
    OTHER_KEY,
    OTHER_NONCE,
    OTHER_PRODUCT,
    OTHER_VERSION,
    VERSION_AS_FRACTION,
    NO_NONCE,
    BOTH_SPELLINGS,
    CHANGED_PAYLOAD,
    ALGORITHM_NONE,
    ALGORITHM_HS256,
    ALGORITHM_RS256,
    TWO_PARTS,
    FOUR_PARTS,
    TOO_LONG,
    GARBAGE,
    EMPTY
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final Map<Slot, Integer> records = new ConcurrentHashMap<>();
  private final Map<Slot, String> ids = new ConcurrentHashMap<>();
  private final Deque<Reply> script = new ArrayDeque<>();
  private final InstantSource clock;
  private volatile Reply otherwise = new Usual();

  public MeteringService() {
    this(InstantSource.system());
  }

  /**
   * @param clock what hours are judged by
   */
  public MeteringService(InstantSource clock) {
    this.clock = clock;
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** The key that right answers are signed with. */
  public static RSAPublicKey publicKey() {
    return (RSAPublicKey) KEYS.getPublic();
  }

  /** The same, as the seller's portal gives it. */
  public static String publicKeyPem() {
    return "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
        .formatted(Base64.getMimeEncoder().encodeToString(publicKey().getEncoded()));
  }

  /** Answers the next requests like this, one after the other. */
  public void next(Reply... replies) {
    synchronized (script) {
      script.addAll(List.of(replies));
    }
  }

  /** Answers all requests like this that no script is left for. */
  public void always(Reply reply) {
    otherwise = reply;
  }

  public List<Request> requests() {
    return List.copyOf(requests);
  }

  public List<Request> requests(String action) {
    return requests.stream().filter(request -> request.action().equals(action)).toList();
  }

  /** The usage that is recorded. */
  public Map<Slot, Integer> records() {
    return Map.copyOf(records);
  }

  /** All usage of a dimension, over all hours and callers. */
  public int total(String dimension) {
    return records.entrySet().stream()
        .filter(record -> record.getKey().dimension().equals(dimension))
        .mapToInt(Map.Entry::getValue)
        .sum();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Request request = read(exchange);
      Reply reply;
      synchronized (script) {
        requests.add(request);
        reply = script.isEmpty() ? otherwise : script.remove();
      }
      switch (reply) {
        case Usual _ -> send(exchange, usual(request, Token.RIGHT));
        case Signed(Token token) -> send(exchange, usual(request, token));
        case Failure failure -> send(exchange, failure);
        case CutAfterwards _ -> {
          var _ = usual(request, Token.RIGHT);
        }
        case Cut _ -> {}
        case Hang _ -> closed.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Request read(HttpExchange exchange) throws IOException {
    JsonNode body = JSON.readTree(exchange.getRequestBody().readAllBytes());
    String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
    Matcher caller =
        CALLER.matcher(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
    boolean known = caller.find();
    return new Request(
        String.valueOf(target).replace("AWSMPMeteringService.", ""),
        known ? caller.group(1) : "",
        known ? caller.group(2) : "",
        body);
  }

  /** What comes with status 200, or a failure. */
  private Object usual(Request request, Token token) {
    return switch (request.action()) {
      case REGISTER -> register(request.body(), token);
      case METER -> meter(request);
      default -> new Failure(400, "UnknownOperationException", request.action());
    };
  }

  private Object register(JsonNode body, Token token) {
    if (body.path("PublicKeyVersion").asInt() > MAX_KEY_VERSION) {
      return new Failure(400, "InvalidPublicKeyVersionException", "Public Key version is invalid.");
    }
    var answer = new LinkedHashMap<String, Object>();
    answer.put("Signature", token(body, token));
    if (token == Token.ROTATED_KEY) {
      answer.put("PublicKeyRotationTimestamp", 1_700_000_000);
    }
    return answer;
  }

  private synchronized Object meter(Request request) {
    JsonNode body = request.body();
    if (body.path("DryRun").asBoolean()) {
      return new Failure(400, "DryRunOperation", "Request would have succeeded");
    }
    Instant now = clock.instant();
    Instant time = Instant.ofEpochMilli((long) (body.path("Timestamp").asDouble() * 1000));
    if (time.isAfter(now) || time.isBefore(now.minus(MAX_AGE))) {
      return new Failure(400, "TimestampOutOfBoundsException", "The timestamp is out of bounds.");
    }
    var slot =
        new Slot(
            request.accessKey(),
            body.path("UsageDimension").asText(),
            time.truncatedTo(ChronoUnit.HOURS));
    int quantity = body.path("UsageQuantity").asInt();
    Integer before = records.putIfAbsent(slot, quantity);
    if (before != null && before != quantity) {
      return new Failure(
          400, "DuplicateRequestException", "A metering record has already been emitted.");
    }
    return Map.of("MeteringRecordId", ids.computeIfAbsent(slot, _ -> UUID.randomUUID().toString()));
  }

  private static void send(HttpExchange exchange, Object answer) throws IOException {
    exchange.getResponseHeaders().add("Content-Type", "application/x-amz-json-1.1");
    byte[] body;
    int status = 200;
    if (answer instanceof Failure failure) {
      status = failure.status();
      exchange.getResponseHeaders().add("x-amzn-ErrorType", failure.type());
      body = JSON.writeValueAsBytes(Map.of("__type", failure.type(), "message", failure.message()));
    } else {
      body = JSON.writeValueAsBytes(answer);
    }
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
  }

  private static String token(JsonNode body, Token kind) {
    return switch (kind) {
      case GARBAGE -> "what.is.this?";
      case EMPTY -> "";
      case TWO_PARTS -> {
        String whole = signed(body, kind);
        yield whole.substring(0, whole.lastIndexOf('.'));
      }
      case FOUR_PARTS -> signed(body, kind) + ".AAAA";
      case TOO_LONG -> signed(body, kind) + "A".repeat(20_000);
      case CHANGED_PAYLOAD -> {
        String whole = signed(body, kind);
        yield whole.substring(0, whole.indexOf('.') + 1)
            + base64(payload(body, Token.LOWER_CASE))
            + whole.substring(whole.lastIndexOf('.'));
      }
      default -> signed(body, kind);
    };
  }

  private static String signed(JsonNode body, Token kind) {
    String algorithm =
        switch (kind) {
          case ALGORITHM_NONE -> "none";
          case ALGORITHM_HS256 -> "HS256";
          case ALGORITHM_RS256 -> "RS256";
          default -> "PS256";
        };
    String content =
        base64("{\"alg\":\"%s\",\"typ\":\"JWT\"}".formatted(algorithm))
            + "."
            + base64(payload(body, kind));
    byte[] bytes = content.getBytes(StandardCharsets.US_ASCII);
    try {
      byte[] signature =
          switch (kind) {
            case ALGORITHM_NONE -> new byte[0];
            case ALGORITHM_HS256 -> hmac(bytes);
            case ALGORITHM_RS256 -> rs256(bytes);
            case OTHER_KEY -> ps256(bytes, OTHER_KEYS);
            default -> ps256(bytes, KEYS);
          };
      return content + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String payload(JsonNode body, Token kind) {
    String product = body.path("ProductCode").asText();
    String nonce = body.path("Nonce").asText();
    Object version = body.path("PublicKeyVersion").asInt();
    var payload = new LinkedHashMap<String, Object>();
    boolean lower = kind == Token.LOWER_CASE;
    payload.put(
        lower ? "productCode" : "ProductCode", kind == Token.OTHER_PRODUCT ? "other" : product);
    payload.put(
        lower ? "publicKeyVersion" : "PublicKeyVersion",
        switch (kind) {
          case OTHER_VERSION -> 77;
          case VERSION_AS_TEXT -> String.valueOf(version);
          case VERSION_AS_FRACTION -> version + ".0";
          default -> version;
        });
    if (kind != Token.NO_NONCE) {
      payload.put(lower ? "nonce" : "Nonce", kind == Token.OTHER_NONCE ? "other" : nonce);
    }
    if (kind == Token.BOTH_SPELLINGS) {
      payload.put("productCode", "other");
    }
    payload.put("iat", Instant.now().getEpochSecond());
    try {
      return JSON.writeValueAsString(payload);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String base64(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] ps256(byte[] content, KeyPair keys) throws GeneralSecurityException {
    Signature signature = Signature.getInstance("RSASSA-PSS");
    signature.setParameter(
        new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
    signature.initSign(keys.getPrivate());
    signature.update(content);
    return signature.sign();
  }

  private static byte[] rs256(byte[] content) throws GeneralSecurityException {
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(KEYS.getPrivate());
    signature.update(content);
    return signature.sign();
  }

  /** The known attack: the public key taken for a shared secret. */
  private static byte[] hmac(byte[] content) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(KEYS.getPublic().getEncoded(), "HmacSHA256"));
    return mac.doFinal(content);
  }

  private static KeyPair newKeys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
