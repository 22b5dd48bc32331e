package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.access.Grants;
import com.lokryn.ducklake.engine.ArrowTypes;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.query.QueryService;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/** Questions about the catalog, answered in the canonical schemas of Flight SQL. */
final class MetadataHandler {
  private final QueryService queries;
  private final ServerInfo info;
  private final CatalogTables tables;
  private final BufferAllocator allocator;

  MetadataHandler(
      QueryService queries, ServerInfo info, ArrowTypes types, BufferAllocator allocator) {
    this.queries = queries;
    this.info = info;
    this.tables = new CatalogTables(types);
    this.allocator = allocator;
  }

  MetadataBatches answer(MetadataQuestion question, Call call) throws EngineException {
    question.requireComplete();
    if (question instanceof MetadataQuestion.Info(var wanted)) {
      return new MetadataBatches(info.answer(wanted.getInfoList(), allocator), call.cancellation());
    }
    return new MetadataBatches(
        question.schema(), rows(question, call), allocator, call.cancellation());
  }

  private List<? extends List<? extends @Nullable Object>> rows(
      MetadataQuestion question, Call call) throws EngineException {
    return switch (question) {
      case MetadataQuestion.Catalogs _ -> ask(call, CatalogTables::catalogs);
      case MetadataQuestion.TableTypes _ -> CatalogTables.TYPES.stream().map(List::of).toList();
      case MetadataQuestion.DbSchemas(var filter) ->
          shown(
              call,
              ask(call, connection -> CatalogTables.schemas(connection, filter)),
              (grants, schema) -> grants.show(String.valueOf(schema.get(1))));
      case MetadataQuestion.Tables(var filter) ->
          shown(
              call,
              ask(call, connection -> tables.tables(connection, filter)),
              (grants, table) ->
                  grants.show(String.valueOf(table.get(1)), String.valueOf(table.get(2))));
      case MetadataQuestion.PrimaryKeys(var table) ->
          ask(call, connection -> CatalogKeys.primary(connection, table));
      case MetadataQuestion.ExportedKeys(var table) ->
          ask(call, connection -> CatalogKeys.exported(connection, table));
      case MetadataQuestion.ImportedKeys(var table) ->
          ask(call, connection -> CatalogKeys.imported(connection, table));
      case MetadataQuestion.CrossReference(var both) ->
          ask(call, connection -> CatalogKeys.between(connection, both));
      case MetadataQuestion.TypeInfo(var wanted) -> TypeInfoRows.of(wanted);
      case MetadataQuestion.Info _ -> List.of();
    };
  }

  /**
   * What a user sees whose role is narrowed: of the lake what they may use, and all of their own.
   */
  private static <R extends List<? extends @Nullable Object>> List<R> shown(
      Call call, List<R> rows, BiPredicate<Grants, R> isGranted) {
    Optional<Grants> grants = call.session().identity().grants();
    return grants.isEmpty()
        ? rows
        : rows.stream()
            .filter(row -> !"lake".equals(row.getFirst()) || isGranted.test(grants.get(), row))
            .toList();
  }

  private <T> T ask(Call call, QueryService.Question<T> question) throws EngineException {
    return queries.ask(call.session(), call.cancellation(), question);
  }
}
