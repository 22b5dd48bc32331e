package com.lokryn.ducklake.observe;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import net.logstash.logback.encoder.LogstashEncoder;
import net.logstash.logback.fieldnames.LogstashFieldNames;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** What is logged and how: to standard error, as text or as one JSON object a line. */
public final class Logging {
  private Logging() {}

  /** Sets up the log of the process. */
  public static void configure(boolean json, String level) {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    var appender = new ConsoleAppender<ILoggingEvent>();
    appender.setContext(context);
    appender.setTarget("System.err");
    boolean debug = Level.toLevel(level).levelInt <= Level.DEBUG_INT;
    appender.setEncoder(json ? json(context, debug) : text(context, debug));
    appender.start();
    var lines = new LogQueue();
    lines.setContext(context);
    lines.addAppender(appender);
    lines.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.WARN);
    root.addAppender(lines);
    // A client that goes away in mid-stream is no event; gRPC warns of it with a stack trace.
    context.getLogger("io.grpc.netty.NettyServerHandler").setLevel(Level.OFF);
    // gRPC and Arrow's client log through java.util.logging.
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    context.getLogger("com.lokryn.ducklake").setLevel(Level.toLevel(level));
  }

  /** Lines that were lost, because standard error took none for long. */
  public static long dropped() {
    return LogQueue.dropped();
  }

  /** Writes what waits, if standard error takes it; to be called before the process is ended. */
  public static void close() {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
  }

  private static Encoder<ILoggingEvent> json(LoggerContext context, boolean debug) {
    // Logback's own JSON encoder nests fields and makes numbers text.
    var encoder = new LogstashEncoder();
    if (!debug) {
      encoder.setFieldNames(withoutStackTraces());
    }
    encoder.setContext(context);
    encoder.start();
    return encoder;
  }

  private static LogstashFieldNames withoutStackTraces() {
    var names = new LogstashFieldNames();
    names.setStackTrace(LogstashFieldNames.IGNORE_FIELD_INDICATOR);
    names.setLevelValue(LogstashFieldNames.IGNORE_FIELD_INDICATOR);
    return names;
  }

  private static Encoder<ILoggingEvent> text(LoggerContext context, boolean debug) {
    var encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    // Stack traces are for whoever asked for them.
    encoder.setPattern(
        "%d{HH:mm:ss.SSS} %-5level %logger{0} - %msg %kvp%n" + (debug ? "%ex" : "%nopex"));
    encoder.start();
    return encoder;
  }
}
