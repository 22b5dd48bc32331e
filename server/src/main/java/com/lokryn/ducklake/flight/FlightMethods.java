package com.lokryn.ducklake.flight;

import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.stub.ServerCalls;
import java.util.ArrayList;
import java.util.Objects;
import java.util.Set;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;
import org.apache.arrow.memory.BufferAllocator;

/** The calls of Flight, those that carry batches with messages of ours. */
final class FlightMethods {
  private FlightMethods() {}

  /** Is it DoGet, by which results are fetched? */
  static boolean isFetch(MethodDescriptor<?, ?> method) {
    return Objects.equals(
        method.getFullMethodName(), FlightServiceGrpc.getDoGetMethod().getFullMethodName());
  }

  private static ServerMethodDefinition<Flight.Ticket, WireMessage> doGet(StreamHandler streams) {
    MethodDescriptor<Flight.Ticket, Flight.FlightData> generated =
        FlightServiceGrpc.getDoGetMethod();
    return ServerMethodDefinition.create(
        generated.toBuilder(generated.getRequestMarshaller(), WireMessage.marshaller()).build(),
        ServerCalls.asyncServerStreamingCall(streams::get));
  }

  private static ServerMethodDefinition<UploadMessage, Flight.PutResult> doPut(
      Uploads uploads, BufferAllocator allocator) {
    MethodDescriptor<Flight.FlightData, Flight.PutResult> generated =
        FlightServiceGrpc.getDoPutMethod();
    return ServerMethodDefinition.create(
        generated.toBuilder(UploadMessage.marshaller(allocator), generated.getResponseMarshaller())
            .build(),
        ServerCalls.asyncBidiStreamingCall(uploads::put));
  }

  /** The service with calls of ours in the place of generated ones. */
  static ServerServiceDefinition of(
      LakeFlightService service,
      StreamHandler streams,
      Uploads uploads,
      BufferAllocator allocator) {
    ServerServiceDefinition generated = service.bindService();
    ServerMethodDefinition<?, ?> doGet = doGet(streams);
    ServerMethodDefinition<?, ?> doPut = doPut(uploads, allocator);
    var methods = new ArrayList<ServerMethodDefinition<?, ?>>();
    methods.add(RequestLimit.on(doGet));
    methods.add(doPut);
    Set<String> replaced = Set.of(name(doGet), name(doPut));
    generated.getMethods().stream()
        .filter(method -> !replaced.contains(name(method)))
        .map(RequestLimit::on)
        .forEach(methods::add);
    var descriptor =
        ServiceDescriptor.newBuilder(generated.getServiceDescriptor().getName())
            .setSchemaDescriptor(generated.getServiceDescriptor().getSchemaDescriptor());
    methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    var merged = ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(merged::addMethod);
    return merged.build();
  }

  private static String name(ServerMethodDefinition<?, ?> method) {
    return String.valueOf(method.getMethodDescriptor().getBareMethodName());
  }
}
