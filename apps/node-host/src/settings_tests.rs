//! Tests of what flags, variables and the stored credential come to.

use super::*;

struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn around(&self) -> Surroundings {
        Surroundings {
            home: Some(self.0.path().to_owned()),
            host: "my mac.local".into(),
            ..Surroundings::default()
        }
    }

    fn enrol(&self, url: &str, node_id: &str) {
        let credential =
            Credential { url: url.into(), node_id: node_id.into(), token: Secret::new("stored") };
        credential.store(&self.0.path().join(".argus/node-host")).unwrap();
    }
}

fn args(url: &str) -> NodeHostArgs {
    NodeHostArgs { url: Some(url.into()), ..NodeHostArgs::default() }
}

fn token(settings: &Settings) -> &str {
    settings.token.expose()
}

#[test]
fn an_enrolled_machine_needs_no_flags() {
    let machine = Machine::new();
    machine.enrol("wss://h/nodes/ws", "mac");
    let settings = Settings::check(NodeHostArgs::default(), &machine.around()).unwrap();
    assert_eq!(settings.address.as_str(), "wss://h/nodes/ws");
    assert_eq!((token(&settings), settings.node_id.as_str()), ("stored", "mac"));
    assert_eq!(settings.display_name, "my mac.local");
    assert_eq!(settings.state, machine.0.path().join(".argus/node-host/mac"));
    assert_eq!(settings.warnings, Vec::<String>::new());
}

#[test]
fn a_stored_token_goes_to_no_other_gateway_and_for_no_other_node() {
    let machine = Machine::new();
    machine.enrol("wss://h/nodes/ws", "mac");
    let other = Settings::check(args("wss://evil/nodes/ws"), &machine.around()).unwrap_err().0;
    assert_eq!((other.len(), other[0].contains("another gateway")), (1, true), "{other:?}");
    let id = NodeHostArgs { node_id: Some("pc".into()), ..NodeHostArgs::default() };
    let other = Settings::check(id, &machine.around()).unwrap_err().0;
    assert_eq!((other.len(), other[0].contains("enrolled as `mac`")), (1, true), "{other:?}");
}

#[test]
fn a_named_token_wins_by_flag_then_file_then_variable_then_address() {
    let machine = Machine::new();
    let file = machine.0.path().join("token");
    std::fs::write(&file, "of-file\nrest\n").unwrap();
    let mut around = machine.around();
    let check = |args: NodeHostArgs, around: &Surroundings| {
        let settings = Settings::check(args, around).unwrap();
        assert_eq!(settings.address.as_str(), "wss://h/nodes/ws");
        (token(&settings).to_owned(), settings.warnings.len())
    };
    let with = args("wss://h?token=of-address");
    assert_eq!(check(with.clone(), &around), ("of-address".into(), 1));
    around.token = Some("of-variable".into());
    assert_eq!(check(with.clone(), &around), ("of-variable".into(), 1));
    let with = NodeHostArgs { token_file: Some(file), ..with };
    assert_eq!(check(with.clone(), &around), ("of-file".into(), 2));
    let with = NodeHostArgs { token: Some("of-flag".into()), ..with };
    assert_eq!(check(with, &around), ("of-flag".into(), 2));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let machine = Machine::new();
    let wrong =
        NodeHostArgs { node_id: Some("a b".into()), token: Some("two words".into()), ..args("ftp://h") };
    let mistakes = Settings::check(wrong, &machine.around()).unwrap_err().0;
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    let nothing = Settings::check(NodeHostArgs::default(), &Surroundings::default()).unwrap_err().0;
    assert!(nothing.iter().any(|mistake| mistake.contains("--url")), "{nothing:?}");
    assert!(nothing.iter().any(|mistake| mistake.contains("--state-dir")), "{nothing:?}");
    let no_token = Settings::check(args("wss://h"), &machine.around()).unwrap_err().0;
    assert_eq!((no_token.len(), no_token[0].contains("no token")), (1, true), "{no_token:?}");
}

#[test]
fn what_goes_in_the_clear_is_warned_about() {
    let machine = Machine::new();
    let around = Surroundings { token: Some("t".into()), ..machine.around() };
    let warnings = |url: &str| Settings::check(args(url), &around).unwrap().warnings.len();
    assert_eq!((warnings("ws://example.org"), warnings("ws://127.0.0.1:1"), warnings("wss://h")), (1, 0, 0));
}

#[test]
fn two_nodes_do_not_share_a_state_folder() {
    let machine = Machine::new();
    machine.enrol("wss://h", "mac");
    let settings = Settings::check(NodeHostArgs::default(), &machine.around()).unwrap();
    let claim = settings.claim().unwrap();
    let error = settings.claim().unwrap_err().to_string();
    assert!(error.contains("another node-host"), "{error}");
    drop(claim);
    settings.claim().unwrap();
}
