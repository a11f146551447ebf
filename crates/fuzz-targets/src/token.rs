//! Secrets: a bearer token is one a header can carry, matches itself alone, and is never shown.

use argus_protocol::token::{Secret, SigningKey, fingerprint_matches};

/// Reads the bytes as a secret and as a bearer token.
pub fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let secret = Secret::parse(&text);
    assert_eq!(secret.is_none(), text.trim().is_empty());
    match Secret::bearer(&text) {
        Ok(bearer) => {
            assert_eq!(bearer, secret, "as a bearer it is the same secret");
            let sendable = |secret: &Secret| secret.reveal().bytes().all(|byte| byte.is_ascii_graphic());
            assert!(bearer.as_ref().is_none_or(sendable), "every character can be sent");
        }
        Err(_) => {
            let refused = secret.as_ref().expect("what is refused is something");
            assert!(!refused.reveal().bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
    let Some(secret) = secret else { return };
    assert_eq!(format!("{secret:?}"), "Secret(…)");
    assert!(secret.matches(secret.reveal()));
    assert!(fingerprint_matches(&secret.fingerprint(), secret.reveal()));
    let mut other = secret.reveal().to_owned();
    other.pop();
    assert!(!secret.matches(&other) && !fingerprint_matches(&secret.fingerprint(), &other));
    let key = SigningKey::new([7; 32]);
    assert_ne!(key.derive("bridge", secret.reveal()), key.derive("bridge", &other));
}
