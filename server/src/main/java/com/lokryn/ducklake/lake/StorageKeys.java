package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.SecretText;
import java.util.Optional;

/**
 * Credentials for a lake's data.
 *
 * @param sessionToken empty for those that do not end
 */
public record StorageKeys(
    String accessKeyId, SecretText secretAccessKey, Optional<SecretText> sessionToken) {}
