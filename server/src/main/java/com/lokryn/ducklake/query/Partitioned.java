package com.lokryn.ducklake.query;

import java.util.List;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A result in parts: each row of it is in one of them.
 *
 * @param schema that each part has
 */
public record Partitioned(Schema schema, List<Part> parts) {}
