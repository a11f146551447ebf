//! Secrets: a bearer token is one a header can carry, matches itself alone, and is never shown; a signed token is taken
//! as it was written and in no other form.

use argus_protocol::token::derived::{Claims, LONGEST, TokenError, read};
use argus_protocol::token::{Secret, SigningKey, fingerprint_matches};

/// Reads the bytes as a secret and as a bearer token.
pub fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    signed(&text, bytes);
    let secret = Secret::parse(&text);
    assert_eq!(secret.is_none(), text.trim().is_empty());
    let sendable = |secret: &Secret| secret.reveal().bytes().all(|byte| byte.is_ascii_graphic());
    if let Ok(bearer) = Secret::bearer(&text) {
        assert_eq!(bearer, secret, "as a bearer it is the same secret");
        assert!(bearer.as_ref().is_none_or(sendable), "every character can be sent");
    } else {
        assert!(!secret.as_ref().is_none_or(sendable), "what is refused could not be sent");
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

/// Reads the text as a signed token, and a good one with one byte changed as the text says.
fn signed(text: &str, bytes: &[u8]) {
    let key = SigningKey::new([7; 32]).of_tokens(1);
    match judge(text, &key) {
        Ok(claims) => assert_eq!(claims.sign(&key).reveal(), text, "one token is written in one way"),
        Err(error) => assert_eq!(error == TokenError::TooLong, text.len() > LONGEST),
    }
    let Some(&[at, to]) = bytes.first_chunk() else { return };
    let claims = Claims {
        kid: 1,
        id: "0123456789abcdef".parse().expect("an id"),
        scope: "client:a1b2".parse().expect("a scope"),
        exp: Some(u64::from(to)),
    };
    let good = claims.sign(&key);
    assert_eq!(judge(good.reveal(), &key), Ok(claims));
    let mut changed = good.reveal().as_bytes().to_vec();
    let at = usize::from(at) % changed.len();
    changed[at] = to;
    if let Ok(changed) = String::from_utf8(changed)
        && changed != good.reveal()
    {
        assert!(judge(&changed, &key).is_err(), "{changed} is taken for {}", good.reveal());
    }
}

fn judge(text: &str, key: &Secret) -> Result<Claims, TokenError> {
    read(text)?.verify(key)
}
