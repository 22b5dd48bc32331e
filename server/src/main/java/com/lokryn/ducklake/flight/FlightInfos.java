package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import java.util.List;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.vector.types.pojo.Schema;

/** Answers to GetFlightInfo. */
final class FlightInfos {
  private final SchemaBytes schemas;

  FlightInfos(SchemaBytes schemas) {
    this.schemas = schemas;
  }

  /**
   * One endpoint without a location, which means: over this connection. An address would have to be
   * right for every client behind every load balancer.
   */
  Flight.FlightInfo of(Schema schema, Flight.FlightDescriptor descriptor, ByteString ticket) {
    return of(schema, descriptor, List.of(ticket));
  }

  /** An endpoint for each part of a result, in no order. */
  Flight.FlightInfo of(
      Schema schema, Flight.FlightDescriptor descriptor, List<ByteString> tickets) {
    var info =
        Flight.FlightInfo.newBuilder()
            .setSchema(schemas.of(schema))
            .setFlightDescriptor(descriptor)
            .setTotalRecords(-1)
            .setTotalBytes(-1);
    for (ByteString ticket : tickets) {
      info.addEndpoint(
          Flight.FlightEndpoint.newBuilder()
              .setTicket(Flight.Ticket.newBuilder().setTicket(ticket)));
    }
    return info.build();
  }
}
