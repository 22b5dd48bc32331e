/**
 * What clients use, hour by hour, and reported to AWS Marketplace: kept in the catalog's Postgres
 * until it is accepted, and never counted twice.
 */
@NullMarked
package com.lokryn.ducklake.metering;

import org.jspecify.annotations.NullMarked;
