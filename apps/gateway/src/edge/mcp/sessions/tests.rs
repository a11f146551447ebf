//! Sessions of the protocol: whose they are, how many, and how they end.

use argus_protocol::token::scope::Scope;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

use super::*;
use crate::access::Limits as OfToken;

const SMALL: Limits = Limits { of_token: 2, in_all: 3, calls: 1, idle: Duration::from_millis(50) };

fn id(name: &str) -> SessionId {
    Arc::from(name)
}

fn account(upstream: &str) -> Arc<Account> {
    let limits = OfToken { connections: 1, frame_bytes: 4096, per_second: None };
    Account::for_tests(Holder::Upstream(upstream.to_owned()), Scope::Operator, limits)
}

fn names(sessions: &Sessions) -> Vec<String> {
    let mut names: Vec<_> = sessions.known().keys().map(ToString::to_string).collect();
    names.sort();
    names
}

#[tokio::test]
async fn who_has_been_idle_longest_makes_room_and_nobody_in_use_does() {
    let sessions = Sessions::within(SMALL);
    let (one, two, three) = (account("one"), account("two"), account("three"));
    let first = sessions.add(&id("a"), &one).unwrap();
    sessions.add(&id("b"), &one).unwrap();
    let used = first.in_use();
    sessions.add(&id("c"), &one).unwrap();
    assert_eq!(names(&sessions), ["a", "c"], "`b` was idle and `a` was in use");
    sessions.add(&id("d"), &two).unwrap();
    assert_eq!(names(&sessions), ["a", "c", "d"]);
    drop(used);
    // In all there are as many as there may be: whose the oldest is does not matter then.
    sessions.add(&id("e"), &three).unwrap();
    assert_eq!(names(&sessions), ["a", "d", "e"]);
    let _all = ["a", "d", "e"].map(|name| sessions.known()[name].in_use());
    assert_eq!(sessions.add(&id("f"), &three).unwrap_err(), Full(3));
    let _mine = sessions.known()["a"].in_use();
    assert_eq!(names(&sessions), ["a", "d", "e"]);
}

#[tokio::test]
async fn a_session_is_found_only_by_the_token_that_made_it() {
    let sessions = Sessions::within(SMALL);
    let (one, two) = (account("one"), account("two"));
    sessions.add(&id("a"), &one).unwrap();
    assert!(sessions.find("a", one.holder()).is_some());
    assert!(sessions.find("a", two.holder()).is_none());
    assert!(sessions.find("b", one.holder()).is_none());
}

#[tokio::test]
async fn so_many_calls_are_under_way_at_once() {
    let session = Session::new(Holder::Operator, 1);
    let place = session.place().unwrap();
    assert!(session.place().is_none());
    assert_eq!(session.idle(), None, "a call is use");
    drop(place);
    assert!(session.place().is_some());
    let sessions = Sessions::within(SMALL);
    let (one, two) = (account("one"), account("two"));
    let _alone = sessions.alone(&one).place().unwrap();
    assert!(sessions.alone(&one).place().is_none(), "calls without a session are counted for their token");
    assert!(sessions.alone(&two).place().is_some());
}

/// What became of a session that is kept: whether the library still has it, and whether we do.
async fn stands(sessions: &Sessions, manager: &LocalSessionManager, id: &SessionId) -> (bool, bool) {
    (manager.has_session(id).await.unwrap(), sessions.known().contains_key(id))
}

#[tokio::test]
async fn a_session_ends_when_nobody_used_it_for_long_and_not_during_a_long_call() {
    let (sessions, manager) = (Sessions::within(SMALL), Arc::new(LocalSessionManager::default()));
    let (id, _transport) = manager.create_session().await.unwrap();
    let session = sessions.add(&id, &account("one")).unwrap();
    let call = session.place().unwrap();
    let token = CancellationToken::new();
    let kept = tokio::spawn(sessions.clone().keep(id.clone(), session.clone(), token, manager.clone()));
    // Looked at several times meanwhile.
    tokio::time::sleep(SMALL.idle * 4).await;
    assert_eq!(stands(&sessions, &manager, &id).await, (true, true));
    drop(call);
    kept.await.unwrap();
    assert_eq!(stands(&sessions, &manager, &id).await, (false, false));
}

#[tokio::test]
async fn a_session_ends_with_its_token_and_when_it_is_told_to() {
    for by_token in [true, false] {
        let (sessions, manager) = (Sessions::within(SMALL), Arc::new(LocalSessionManager::default()));
        let (id, _transport) = manager.create_session().await.unwrap();
        let session = sessions.add(&id, &account("one")).unwrap();
        let token = CancellationToken::new();
        let kept =
            tokio::spawn(sessions.clone().keep(id.clone(), session.clone(), token.clone(), manager.clone()));
        let _used = session.in_use();
        if by_token {
            token.cancel();
        } else {
            session.end();
        }
        kept.await.unwrap();
        assert_eq!(stands(&sessions, &manager, &id).await, (false, false), "{by_token}");
    }
}
