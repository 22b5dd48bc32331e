package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.S3Location;
import java.net.URI;
import java.util.Optional;

/**
 * The S3 bucket with a lake's data.
 *
 * @param endpoint where it is not AWS's own; the bucket is then part of the path
 */
public record ObjectStore(S3Location location, String region, Optional<URI> endpoint) {}
