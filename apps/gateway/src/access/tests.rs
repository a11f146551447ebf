//! Judging, over a real ledger and a real audit.

use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::argus::token::State;
use argus_protocol::token::derived::Claims;
use argus_protocol::token::scope::Scope;
use argus_protocol::token::{Secret, SigningKey};

use super::*;
use crate::clock::{new_token_id, unix_ms};
use crate::store::audit_file::AuditFile;
use crate::store::ledger::Ledger;

pub(super) struct Desk {
    dir: tempfile::TempDir,
    ledger: Ledger,
}

fn key() -> SigningKey {
    SigningKey::new([7; 32])
}

pub(super) fn by() -> Author {
    Author { who: Some(Holder::Operator), from: ([127, 0, 0, 1], 1).into() }
}

fn new(scope: &str, seconds: Option<u64>) -> NewToken {
    let life = seconds.map(Duration::from_secs);
    NewToken { scope: scope.parse().unwrap(), life, label: None, limits: TokenLimits::default() }
}

impl Desk {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.db"), |_, _| Vec::new()).await.unwrap();
        Self { dir, ledger }
    }

    /// The ledger's part of a session's end.
    pub(super) async fn delete(&self, session: &SessionId) {
        self.ledger.forget_session(session).await.unwrap();
    }

    pub(super) async fn open(&self) -> Access {
        let file = self.dir.path().join("token");
        Access::open(AccessParts {
            ledger: self.ledger.clone(),
            key: key(),
            operator: OperatorToken { token: Secret::parse("own").unwrap(), file: Some(file) },
            upstreams: Vec::new(),
            shared: SharedTokens::default(),
            limits: Limits { connections: 2, frame_bytes: 8192, per_second: Some(5) },
            frame_limit: 16384,
            audit: Audit::start(AuditFile::new(self.dir.path().join("audit.log"))).unwrap(),
        })
        .await
        .unwrap()
    }
}

fn opens(access: &Access, token: &str) -> Result<String, Refused> {
    access.judge(token).map(|account| format!("{} {}", account.holder(), account.scope()))
}

#[tokio::test]
async fn a_right_signature_opens_nothing_that_was_not_noted() {
    let desk = Desk::new().await;
    let access = desk.open().await;
    let made = access.create(&by(), new("client:s", Some(600))).await.unwrap();
    let named = Ok(format!("token:{} client:s", made.id));
    assert_eq!(opens(&access, &made.token), named);
    let exp = made.expires_at_ms.map(|ms| ms / 1000);
    let claims = Claims { kid: 1, id: made.id.clone(), scope: "client:s".parse().unwrap(), exp };
    assert_eq!(
        opens(&access, claims.sign(&key().of_tokens(1)).reveal()),
        named,
        "the same claims, the same token"
    );
    // Whoever has the key and not the ledger can sign, and gets nowhere.
    let revoked = Err(Refused::Ended(Ending::Revoked));
    for (claims, verdict) in [
        (Claims { scope: Scope::Operator, ..claims.clone() }, revoked.clone()),
        (Claims { scope: "client:other".parse().unwrap(), ..claims.clone() }, revoked.clone()),
        (Claims { exp: None, ..claims.clone() }, revoked.clone()),
        (Claims { exp: exp.map(|exp| exp + 1), ..claims.clone() }, revoked.clone()),
        (Claims { id: new_token_id(), ..claims.clone() }, revoked),
        (Claims { exp: Some(unix_ms() / 1000), ..claims.clone() }, Err(Refused::Ended(Ending::Expired))),
        (Claims { kid: 2, ..claims.clone() }, Err(Refused::Unknown)),
    ] {
        assert_eq!(opens(&access, claims.sign(&key().of_tokens(1)).reveal()), verdict, "{claims:?}");
    }
    for foreign in [SigningKey::new([8; 32]).of_tokens(1), key().of_tokens(2), key().derive("bridge", "1")] {
        assert_eq!(opens(&access, claims.sign(&foreign).reveal()), Err(Refused::Unknown));
    }
    for text in ["", "own ", "Own", "argus1", "argus1..", made.id.as_str()] {
        assert_eq!(opens(&access, text), Err(Refused::Unknown), "{text}");
    }
    assert_eq!(opens(&access, "own"), Ok("operator operator".to_owned()));
}

#[tokio::test]
async fn what_was_noted_is_judged_alike_after_a_restart() {
    let desk = Desk::new().await;
    let access = desk.open().await;
    let kept = access.create(&by(), new("operator", None)).await.unwrap();
    let ended = access.create(&by(), new("node:mac", None)).await.unwrap();
    let short = access.create(&by(), new("mcp:s", Some(1))).await.unwrap();
    access.revoke(&by(), &ended.id).await.unwrap();
    let later = short.expires_at_ms.unwrap();
    assert!(access.expire(later - 1).is_some());
    assert_eq!(access.expire(later), None, "nothing else expires");
    for access in [access, desk.open().await] {
        assert_eq!(opens(&access, &kept.token), Ok(format!("token:{} operator", kept.id)));
        assert_eq!(opens(&access, &ended.token), Err(Refused::Ended(Ending::Revoked)));
        let states: Vec<_> =
            access.list().await.unwrap().into_iter().map(|one| (one.id, one.state)).collect();
        assert!(states.contains(&(kept.id.clone(), State::Valid)));
        assert!(states.contains(&(ended.id.clone(), State::Revoked)));
    }
    // After the key changed, tokens of the older generation are no tokens, in the next gateway too.
    desk.open().await.rotate_key(&by()).await.unwrap();
    assert_eq!(opens(&desk.open().await, &kept.token), Err(Refused::Unknown));
}

#[tokio::test]
async fn limits_are_those_of_the_settings_unless_a_token_has_its_own() {
    let desk = Desk::new().await;
    let access = desk.open().await;
    let usual = access.create(&by(), new("operator", None)).await.unwrap();
    let limits = TokenLimits { connections: Some(1), frame_bytes: Some(16384), per_second: None };
    let own = access.create(&by(), NewToken { limits, ..new("operator", None) }).await.unwrap();
    let of = |token: &str| {
        let account = access.judge(token).unwrap();
        let _first = account.take_seat().unwrap();
        (account.frame_bytes(), account.take_seat().is_ok(), account.rate().is_some())
    };
    assert_eq!(of(&usual.token), (8192, true, true));
    assert_eq!(of(&own.token), (16384, false, true));
    assert_eq!(of("own"), (16384, true, false), "the operator has no pace");
}

#[tokio::test]
async fn a_token_that_is_revoked_is_worth_nothing_even_if_that_cannot_be_stored() {
    let desk = Desk::new().await;
    let access = desk.open().await;
    let made = access.create(&by(), new("operator", None)).await.unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let seat = access.judge(&made.token).unwrap().take_seat().unwrap();
    seat.on_end(Box::new(move |ending| tell.send(ending).unwrap()));
    desk.ledger.close().await;
    let error = access.revoke(&by(), &made.id).await.unwrap_err().to_string();
    assert!(error.starts_with("the token opens nothing until the next start"), "{error}");
    assert_eq!(told.try_recv(), Ok(Ending::Revoked));
    assert_eq!(opens(&access, &made.token), Err(Refused::Ended(Ending::Revoked)));
    // What changes every token is not half done.
    assert!(access.create(&by(), new("operator", None)).await.is_err());
    assert!(access.rotate_key(&by()).await.is_err());
}
