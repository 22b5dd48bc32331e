package com.lokryn.ducklake.flight;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.arrow.flight.sql.impl.FlightSql;

/** Reads the command out of the bytes of a descriptor or a ticket. */
final class CommandDecoder {
  private static final String TYPE_PREFIX = "type.googleapis.com/arrow.flight.protocol.sql.";
  private static final Map<String, Reader> READERS = readers();

  private CommandDecoder() {}

  private static <M extends Message> M unpack(Any any, Class<M> type) {
    try {
      return any.unpack(type);
    } catch (InvalidProtocolBufferException e) {
      throw FlightErrors.invalid(
          "%s cannot be read: %s".formatted(any.getTypeUrl(), e.getMessage()));
    }
  }

  /** Reads one kind of command. */
  private interface Reader {
    FlightCommand read(Any any);
  }

  private static Map<String, Reader> readers() {
    var readers = new LinkedHashMap<String, Reader>();
    readers.put(
        "CommandStatementQuery",
        any -> new FlightCommand.Query(unpack(any, FlightSql.CommandStatementQuery.class)));
    readers.put(
        "CommandPreparedStatementQuery",
        any ->
            new FlightCommand.Prepared(unpack(any, FlightSql.CommandPreparedStatementQuery.class)));
    readers.put(
        "TicketStatementQuery",
        any -> new FlightCommand.Started(unpack(any, FlightSql.TicketStatementQuery.class)));
    readers.put(
        "CommandStatementUpdate",
        any -> new FlightCommand.Update(unpack(any, FlightSql.CommandStatementUpdate.class)));
    readers.put(
        "CommandPreparedStatementUpdate",
        any ->
            new FlightCommand.PreparedUpdate(
                unpack(any, FlightSql.CommandPreparedStatementUpdate.class)));
    readers.put(
        "CommandStatementIngest",
        any -> new FlightCommand.Ingest(unpack(any, FlightSql.CommandStatementIngest.class)));
    readers.put(
        "CommandGetCatalogs", _ -> new FlightCommand.Metadata(new MetadataQuestion.Catalogs()));
    readers.put(
        "CommandGetDbSchemas",
        any ->
            new FlightCommand.Metadata(
                new MetadataQuestion.DbSchemas(unpack(any, FlightSql.CommandGetDbSchemas.class))));
    readers.put(
        "CommandGetTables",
        any ->
            new FlightCommand.Metadata(
                new MetadataQuestion.Tables(unpack(any, FlightSql.CommandGetTables.class))));
    readers.put(
        "CommandGetTableTypes", _ -> new FlightCommand.Metadata(new MetadataQuestion.TableTypes()));
    readers.put(
        "CommandGetSqlInfo",
        any ->
            new FlightCommand.Metadata(
                new MetadataQuestion.Info(unpack(any, FlightSql.CommandGetSqlInfo.class))));
    readers.put(
        "CommandGetXdbcTypeInfo",
        any ->
            new FlightCommand.Metadata(
                new MetadataQuestion.TypeInfo(
                    unpack(any, FlightSql.CommandGetXdbcTypeInfo.class))));
    readers.put(
        "CommandGetPrimaryKeys",
        any ->
            new FlightCommand.Metadata(
                new MetadataQuestion.PrimaryKeys(
                    unpack(any, FlightSql.CommandGetPrimaryKeys.class))));
    readers.put(
        "CommandGetExportedKeys",
        any ->
            new FlightCommand.Metadata(
                new MetadataQuestion.ExportedKeys(
                    unpack(any, FlightSql.CommandGetExportedKeys.class))));
    readers.put(
        "CommandGetImportedKeys",
        any ->
            new FlightCommand.Metadata(
                new MetadataQuestion.ImportedKeys(
                    unpack(any, FlightSql.CommandGetImportedKeys.class))));
    readers.put(
        "CommandGetCrossReference",
        any ->
            new FlightCommand.Metadata(
                new MetadataQuestion.CrossReference(
                    unpack(any, FlightSql.CommandGetCrossReference.class))));
    readers.put("CommandStatementSubstraitPlan", _ -> new FlightCommand.Refused("Substrait plans"));
    return Map.copyOf(readers);
  }

  /** Reads the command out of the bytes of a descriptor or a ticket. */
  static FlightCommand read(ByteString bytes) {
    Any any;
    try {
      any = Any.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw FlightErrors.invalid("not a Flight SQL command: use a Flight SQL client");
    }
    if (!any.getTypeUrl().startsWith(TYPE_PREFIX)) {
      throw FlightErrors.invalid("not a Flight SQL command: use a Flight SQL client");
    }
    String name = any.getTypeUrl().substring(TYPE_PREFIX.length());
    Reader reader = READERS.get(name);
    if (reader == null) {
      throw FlightErrors.unsupported("the command %s is not supported".formatted(name));
    }
    return reader.read(any);
  }
}
