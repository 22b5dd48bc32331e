package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.auth.SessionTokens.Token;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.text.ParseException;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import javax.crypto.SecretKey;

/**
 * Session tokens as JSON Web Tokens. Algorithm, type, issuer and audience are fixed: no token of an
 * identity provider passes for one, and none of them for a provider's. Thread-safe.
 */
final class TokenForm {
  private static final JOSEObjectType TYPE = new JOSEObjectType("ducklake-flight-session+jwt");
  private static final JWSHeader HEADER =
      new JWSHeader.Builder(JWSAlgorithm.HS256).type(TYPE).build();
  private static final String OURSELVES = "ducklake-flight";
  private static final String SESSION = "sid";

  private final MACSigner signer;
  private final MACVerifier verifier;

  TokenForm(SecretKey key) {
    try {
      signer = new MACSigner(key);
      verifier = new MACVerifier(key);
    } catch (JOSEException e) {
      throw new IllegalStateException("the key is long enough", e);
    }
  }

  String write(Token token) {
    var jwt =
        new SignedJWT(
            HEADER,
            new JWTClaimsSet.Builder()
                .issuer(OURSELVES)
                .audience(OURSELVES)
                .subject(token.user())
                .claim(SESSION, token.session())
                .issueTime(Date.from(token.issued()))
                .expirationTime(Date.from(token.until()))
                .build());
    try {
      jwt.sign(signer);
    } catch (JOSEException e) {
      throw new IllegalStateException("every JDK has HmacSHA256", e);
    }
    return jwt.serialize();
  }

  /** What a token says that was made with this key, whether or not it is good now. */
  Optional<Token> read(String text) {
    try {
      SignedJWT jwt = SignedJWT.parse(text);
      JWSHeader header = jwt.getHeader();
      if (!JWSAlgorithm.HS256.equals(header.getAlgorithm())
          || !TYPE.equals(header.getType())
          || !isCanonical(jwt.getSignature())
          || !jwt.verify(verifier)) {
        return Optional.empty();
      }
      return token(jwt.getJWTClaimsSet());
    } catch (ParseException | JOSEException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The last character has bits to spare, which would make several texts of one token. */
  static boolean isCanonical(Base64URL signature) {
    return Base64URL.encode(signature.decode()).equals(signature);
  }

  private static Optional<Token> token(JWTClaimsSet claims) throws ParseException {
    String user = claims.getSubject();
    String session = claims.getStringClaim(SESSION);
    Date issued = claims.getIssueTime();
    Date until = claims.getExpirationTime();
    boolean isComplete = user != null && session != null && issued != null && until != null;
    if (!isComplete
        || !OURSELVES.equals(claims.getIssuer())
        || !claims.getAudience().equals(List.of(OURSELVES))) {
      return Optional.empty();
    }
    // One that begins later than it was made is not good before.
    Date begin = claims.getNotBeforeTime();
    Instant from = issued.toInstant();
    if (begin != null && begin.toInstant().isAfter(from)) {
      from = begin.toInstant();
    }
    return Optional.of(new Token(user, session, from, until.toInstant()));
  }
}
