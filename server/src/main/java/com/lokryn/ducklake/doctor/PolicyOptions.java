package com.lokryn.ducklake.doctor;

import java.util.Optional;

/**
 * What of a policy no setting tells.
 *
 * @param account twelve digits; empty for any
 * @param secretKey ARN of the customer's key that the secret is encrypted with, if it is
 * @param bucketKey ARN of the customer's key that the bucket is encrypted with, if it is
 * @param logGroup that the container's log goes to
 * @param marketplace with metering, also where no product code is set
 */
public record PolicyOptions(
    Optional<String> account,
    Optional<String> secretKey,
    Optional<String> bucketKey,
    String logGroup,
    boolean marketplace) {}
