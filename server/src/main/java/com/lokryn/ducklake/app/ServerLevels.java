package com.lokryn.ducklake.app;

import com.lokryn.ducklake.flight.FlightEndpoint;
import com.lokryn.ducklake.observe.Levels;
import com.lokryn.ducklake.query.Admission;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;

/** What a server has at work and in memory, for metrics. Thread-safe. */
final class ServerLevels implements Levels {
  private final LakeServer server;
  private final EngineLevels engine;

  ServerLevels(LakeServer server) {
    this.server = server;
    this.engine = new EngineLevels(server.engine());
  }

  private Admission admission(Lane lane) {
    return switch (lane) {
      case STATEMENTS -> server.lanes().statements();
      case STREAMS -> server.lanes().begun();
      case UPLOADS -> server.lanes().uploads();
    };
  }

  private int ofEndpoint(ToIntFunction<FlightEndpoint> number) {
    return server.endpoint().map(number::applyAsInt).orElse(0);
  }

  @Override
  public int waiting(Lane lane) {
    return admission(lane).waiting();
  }

  @Override
  public int atWork(Lane lane) {
    return admission(lane).atWork();
  }

  @Override
  public int openStreams() {
    return ofEndpoint(FlightEndpoint::openStreams);
  }

  @Override
  public int waitingResults() {
    return ofEndpoint(FlightEndpoint::waitingResults);
  }

  @Override
  public int connections() {
    return ofEndpoint(FlightEndpoint::openConnections);
  }

  @Override
  public int sessions() {
    return server.sessions().count();
  }

  @Override
  public int openTransactions() {
    return server.lanes().holdings().transactions();
  }

  @Override
  public int preparedStatements() {
    return ofEndpoint(FlightEndpoint::preparedStatements);
  }

  @Override
  public int engineConnections() {
    return server.openConnections();
  }

  @Override
  public EngineUse engineUse() {
    return engine.read();
  }

  @Override
  public long engineMemoryLimit() {
    return server.engineBytes();
  }

  @Override
  public long batchBytes() {
    return server.bufferBytes();
  }

  @Override
  public double transportBytes() {
    ToDoubleFunction<FlightEndpoint> bytes = _ -> FlightEndpoint.transportBytes();
    return server.endpoint().map(bytes::applyAsDouble).orElse(0.0);
  }

  @Override
  public void close() {
    engine.close();
  }
}
