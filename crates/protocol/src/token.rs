//! Secrets that are compared in constant time and never shown; tokens that say what they are for.

pub mod derived;
pub mod scope;

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A secret text: a bearer token or a bridge secret. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a text cannot be a bearer token: it could never be sent. The text itself is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token holds {0}, which no client could send; use letters, digits and signs of ASCII only")]
pub struct NotBearer(&'static str);

impl Secret {
    /// As [`Secret::parse`], for a secret that has to travel in an HTTP header.
    pub fn bearer(text: &str) -> Result<Option<Self>, NotBearer> {
        let Some(secret) = Self::parse(text) else { return Ok(None) };
        match secret.0.chars().find(|c| !c.is_ascii_graphic()) {
            None => Ok(Some(secret)),
            Some(c) if c.is_whitespace() => Err(NotBearer("white space")),
            Some(c) if c.is_control() => Err(NotBearer("a control character")),
            Some(_) => Err(NotBearer("a character outside ASCII")),
        }
    }

    /// Takes a secret as it is written; surrounding white space is not part of it. `None` when nothing is left.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Compares in time that depends on neither text.
    pub fn matches(&self, offered: &str) -> bool {
        let (own, offered) = (Sha256::digest(&self.0), Sha256::digest(offered));
        own.ct_eq(&offered).into()
    }

    /// The text itself, for the one place that must send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Lower-case hex SHA-256 of the text: what a bridge is given instead of the secret.
    pub fn fingerprint(&self) -> String {
        data_encoding::HEXLOWER.encode(&Sha256::digest(&self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether `offered` is the text whose [`Secret::fingerprint`] is `fingerprint`.
pub fn fingerprint_matches(fingerprint: &str, offered: &str) -> bool {
    let own = data_encoding::HEXLOWER.encode(&Sha256::digest(offered));
    own.as_bytes().ct_eq(fingerprint.as_bytes()).into()
}

/// The installation's signing key (`<home>/gateway/key`).
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// Wraps key bytes from the system's random source.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret for one purpose and subject, e.g. `("bridge", session id)`: same key, same secret, so that a
    /// runtime can be adopted after a restart without storing anything more.
    pub fn derive(&self, purpose: &str, subject: &str) -> Secret {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(subject.as_bytes());
        Secret(data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()))
    }

    /// The secret that signs the tokens of one generation.
    pub fn of_tokens(&self, generation: u32) -> Secret {
        self.derive("token", &generation.to_string())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_secret_counts_as_none() {
        assert_eq!(Secret::parse("  "), None);
        assert!(Secret::parse(" a \n").is_some_and(|s| s.matches("a") && !s.matches("b") && !s.matches("")));
    }

    #[test]
    fn a_bearer_token_is_one_that_a_header_can_carry() {
        assert_eq!(Secret::bearer(" a-Z_9~! \n"), Ok(Secret::parse("a-Z_9~!")));
        assert_eq!(Secret::bearer(" \n"), Ok(None));
        for (text, why) in [
            ("two words", "white space"),
            ("a\u{a0}b", "white space"),
            ("a\u{7}b", "a control character"),
            ("pässword", "a character outside ASCII"),
            ("a\u{fffd}", "a character outside ASCII"),
        ] {
            assert_eq!(Secret::bearer(text), Err(NotBearer(why)), "{text:?}");
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secret::parse("abc")), "Some(Secret(…))");
    }

    #[test]
    fn a_bridge_knows_the_secret_by_its_fingerprint_only() {
        let secret = SigningKey::new([7; 32]).derive("bridge", "s1");
        assert!(fingerprint_matches(&secret.fingerprint(), secret.reveal()));
        assert!(!fingerprint_matches(&secret.fingerprint(), "other"));
        assert_ne!(secret, SigningKey::new([7; 32]).derive("bridge", "s2"));
    }
}
