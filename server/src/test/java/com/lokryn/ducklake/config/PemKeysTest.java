package com.lokryn.ducklake.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PemKeysTest {
  private static String pem(KeyPair pair) {
    return "-----BEGIN PUBLIC KEY-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(pair.getPublic().getEncoded())
        + "\n-----END PUBLIC KEY-----\n";
  }

  private static KeyPair pair(String algorithm) throws Exception {
    return KeyPairGenerator.getInstance(algorithm).generateKeyPair();
  }

  @Test
  void readsTextsAndFiles(@TempDir Path directory) throws Exception {
    KeyPair pair = pair("RSA");
    Path file = Files.writeString(directory.resolve("key.pem"), pem(pair));
    for (String text : new String[] {pem(pair), pem(pair).replace("\n", "\\n"), file.toString()}) {
      assertThat(Settings.MARKETPLACE_PUBLIC_KEY.read(text)).isEqualTo(pair.getPublic());
    }
  }

  @Test
  void refusesOthers() throws Exception {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PemKeys.publicKey(pem(pair("EC"))))
        .withMessage("is not a public key for RSA");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PemKeys.publicKey("/nowhere/key.pem"))
        .withMessageContaining("nor a file that can be read")
        .withMessageNotContaining("nowhere");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> PemKeys.publicKey(pem(pair("RSA")).replace("PUBLIC KEY", "RSA PUBLIC KEY")))
        .withMessageContaining("no -----BEGIN PUBLIC KEY-----");
  }
}
