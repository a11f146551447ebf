//! Tokens that the gateway signs: `argus1.<claims>.<signature>`, both in base64url without padding.
//!
//! Reading one is pure and takes any text. A signature alone makes no token valid: whether it is known, and not
//! revoked, only the gateway that wrote it down can tell.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Secret;
use super::scope::Scope;
use crate::ids::TokenId;

/// A longer text is no token, and is not looked at.
pub const LONGEST: usize = 512;
const VERSION: &str = "argus1";
/// Bytes of an HMAC-SHA256.
const SIGNATURE: usize = 32;

/// What a token says of itself. A claim that is not known here makes it unreadable: it might forbid something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The generation of the key that signs it.
    pub kid: u32,
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub scope: Scope,
    /// Unix seconds from which it is worth nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
}

/// Why a text is no token of ours. The text itself is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Over [`LONGEST`].
    #[error("the token is longer than {LONGEST} bytes")]
    TooLong,
    /// Not three parts that begin with the version.
    #[error("the text has not the form of a derived token")]
    Form,
    /// A part is not base64url, or a signature of another length.
    #[error("a part of the token is not base64url")]
    Encoding,
    /// The claims are not what this version writes.
    #[error("the token's claims cannot be read")]
    Claims,
    /// Somebody else has signed it, or it was changed.
    #[error("the token's signature is wrong")]
    Signature,
}

/// A token that was read; nothing in it may be believed before [`Unverified::verify`].
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    claims: Claims,
    signed: &'a str,
    signature: [u8; SIGNATURE],
}

impl Claims {
    /// The token of these claims.
    pub fn sign(&self, key: &Secret) -> Secret {
        let claims = serde_json::to_vec(self).expect("claims serialize");
        let signed = format!("{VERSION}.{}", BASE64URL_NOPAD.encode(&claims));
        let signature = BASE64URL_NOPAD.encode(&mac(key, &signed).finalize().into_bytes());
        Secret(format!("{signed}.{signature}"))
    }
}

/// Takes a token apart.
pub fn read(text: &str) -> Result<Unverified<'_>, TokenError> {
    if text.len() > LONGEST {
        return Err(TokenError::TooLong);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Form)?;
    let (version, claims) = signed.split_once('.').ok_or(TokenError::Form)?;
    if version != VERSION {
        return Err(TokenError::Form);
    }
    let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| TokenError::Encoding);
    let signature = decode(signature)?.try_into().map_err(|_| TokenError::Encoding)?;
    let claims = serde_json::from_slice(&decode(claims)?).map_err(|_| TokenError::Claims)?;
    Ok(Unverified { claims, signed, signature })
}

impl Unverified<'_> {
    /// The generation of the key that is to be asked.
    pub fn kid(&self) -> u32 {
        self.claims.kid
    }

    /// The claims, if `key` has signed them. Takes the same time whatever is wrong with the signature.
    pub fn verify(self, key: &Secret) -> Result<Claims, TokenError> {
        mac(key, self.signed).verify_slice(&self.signature).map_err(|_| TokenError::Signature)?;
        Ok(self.claims)
    }
}

fn mac(key: &Secret, signed: &str) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::super::SigningKey;
    use super::*;
    use proptest::prelude::*;

    fn key(generation: u32) -> Secret {
        SigningKey::new([7; 32]).of_tokens(generation)
    }

    fn claims(scope: &str, exp: Option<u64>) -> Claims {
        Claims { kid: 1, id: "0123456789abcdef".parse().unwrap(), scope: scope.parse().unwrap(), exp }
    }

    fn judge(text: &str) -> Result<Claims, TokenError> {
        read(text)?.verify(&key(1))
    }

    /// A token with these claims, rightly signed.
    fn signed(claims: &str) -> String {
        let signed = format!("{VERSION}.{}", BASE64URL_NOPAD.encode(claims.as_bytes()));
        let signature = BASE64URL_NOPAD.encode(&mac(&key(1), &signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    #[test]
    fn a_token_is_written_so_that_older_ones_stay_valid() {
        let token = claims("client:a1b2", Some(1_800_000_000)).sign(&key(1));
        let parts: Vec<_> = token.reveal().split('.').collect();
        let told = String::from_utf8(BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap()).unwrap();
        assert_eq!(
            (parts[0], told.as_str()),
            ("argus1", r#"{"kid":1,"id":"0123456789abcdef","scope":"client:a1b2","exp":1800000000}"#)
        );
        assert_eq!(parts[2], "5QcvK2eB6zZRzy5hBWePHv4ZsK_TPutQ7yHftPIERxo");
    }

    #[test]
    fn what_is_no_token_is_refused_by_its_fault() {
        let good = claims("operator", None).sign(&key(1));
        let (signed_part, signature) = good.reveal().rsplit_once('.').unwrap();
        let payload = |text: &str| format!("argus1.{}.{signature}", BASE64URL_NOPAD.encode(text.as_bytes()));
        for (text, fault) in [
            (String::new(), TokenError::Form),
            ("s3cret".to_owned(), TokenError::Form),
            ("argus1".to_owned(), TokenError::Form),
            ("argus1.".to_owned(), TokenError::Form),
            (good.reveal().replacen("argus1", "argus2", 1), TokenError::Form),
            (good.reveal().replacen("argus1", "ARGUS1", 1), TokenError::Form),
            ("argus1..".to_owned(), TokenError::Encoding),
            (format!("{signed_part}."), TokenError::Encoding),
            (format!("{}=", good.reveal()), TokenError::Encoding),
            (format!("{signed_part}.AAAA"), TokenError::Encoding),
            (format!("argus1.a.b.{signature}"), TokenError::Encoding),
            (format!("argus1..{signature}"), TokenError::Claims),
            (payload("{}"), TokenError::Claims),
            (payload("[1]"), TokenError::Claims),
            (payload(r#"{"kid":1,"id":"0123456789abcdee","scope":"operator"}"#), TokenError::Signature),
            ("a".repeat(LONGEST + 1), TokenError::TooLong),
        ] {
            assert_eq!(judge(&text), Err(fault), "{text}");
        }
    }

    #[test]
    fn claims_that_this_version_does_not_write_are_refused_although_they_are_signed() {
        let known = r#""kid":1,"id":"0123456789abcdef","scope":"operator""#;
        assert!(judge(&signed(&format!("{{{known}}}"))).is_ok());
        for more in
            [r#","only":"reading""#, r#","kid":1"#, r#","exp":-1"#, r#","exp":"soon""#, r#","exp":1.5"#]
        {
            assert_eq!(judge(&signed(&format!("{{{known}{more}}}"))), Err(TokenError::Claims), "{more}");
        }
        let of = |kid: &str, id: &str, scope: &str| {
            judge(&signed(&format!(r#"{{"kid":{kid},"id":"{id}","scope":"{scope}"}}"#)))
        };
        for (kid, id, scope) in [
            ("-1", "0123456789abcdef", "operator"),
            ("4294967296", "0123456789abcdef", "operator"),
            ("1", "0123456789ABCDEF", "operator"),
            ("1", "0123456789abcde", "operator"),
            ("1", "0123456789abcdef", "root"),
        ] {
            assert_eq!(of(kid, id, scope), Err(TokenError::Claims), "{kid} {id} {scope}");
        }
    }

    #[test]
    fn the_largest_claims_fit() {
        let scope = format!("node:{}", "n".repeat(128));
        let claims = Claims { kid: u32::MAX, ..claims(&scope, Some(u64::MAX)) };
        assert_eq!(judge(claims.sign(&key(1)).reveal()), Ok(claims));
    }

    fn scopes() -> impl Strategy<Value = Scope> {
        prop_oneof![
            Just("operator".to_owned()),
            "(client|mcp):[a-z0-9][a-z0-9-]{0,63}",
            "node:[A-Za-z0-9._:-]{1,128}",
        ]
        .prop_map(|text| text.parse().unwrap())
    }

    proptest! {
        #[test]
        fn what_was_signed_is_read_back_with_the_same_key_only(
            scope in scopes(), kid: u32, id in "[0-9a-f]{16}", exp: Option<u64>,
        ) {
            let claims = Claims { kid, id: id.parse().unwrap(), scope, exp };
            let token = claims.sign(&key(1));
            prop_assert!(token.reveal().len() <= LONGEST);
            prop_assert_eq!(Secret::bearer(token.reveal()), Ok(Some(token.clone())));
            prop_assert_eq!(read(token.reveal()).unwrap().verify(&key(2)), Err(TokenError::Signature));
            prop_assert_eq!(judge(token.reveal()), Ok(claims));
        }

        #[test]
        fn a_token_with_one_byte_changed_is_refused(scope in scopes(), at: prop::sample::Index, by in 1_u8..128) {
            let token = Claims { scope, ..claims("operator", None) }.sign(&key(1));
            let mut bytes = token.reveal().as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = (bytes[at] ^ by) & 0x7f;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assume!(changed != token.reveal());
            prop_assert!(judge(&changed).is_err());
        }

        #[test]
        fn any_text_has_a_verdict(text in "\\PC{0,600}", tail in "[A-Za-z0-9_.=-]{0,200}") {
            _ = judge(&text);
            _ = judge(&format!("argus1.{tail}"));
            _ = judge(&signed(&text));
        }
    }
}
