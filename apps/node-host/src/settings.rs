//! What flags, variables and the stored credential come to: everything that the node needs to know, or all that is wrong.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Read as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use argus_protocol::node::names_a_node;

use crate::args::{Mistakes, NodeHostArgs, RulesArgs};
use crate::credential::{Credential, Secret};
use crate::link::{Address, Written};
use crate::policy::{Action, Source};
use crate::surroundings::Surroundings;

/// The longest line of a file with a token.
const LONGEST_TOKEN: u64 = 4 << 10;

/// What the node needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the gateway is.
    pub address: Address,
    /// What opens its door.
    pub token: Secret,
    /// This node's id.
    pub node_id: String,
    /// What people call this machine.
    pub display_name: String,
    /// Where all nodes of this user keep what they keep, the credential among it.
    pub root: PathBuf,
    /// Where this node keeps its jobs and its audit.
    pub state: PathBuf,
    /// Where the owner's rules stand.
    pub rules: Source,
    /// What is done about a call of which they say nothing, where that is not left to them.
    pub mode: Option<Action>,
    /// The session for which jobs run of which nobody says for whom.
    pub session_id: Option<String>,
    /// Whether it ends with its standard input.
    pub end_with_input: bool,
    /// What its owner should know.
    pub warnings: Vec<String>,
}

/// Only one process may hold it; given back when it is dropped.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

impl Settings {
    pub(crate) fn check(args: NodeHostArgs, around: &Surroundings) -> Result<Self, Mistakes> {
        let mut check = Check { mistakes: Vec::new(), warnings: Vec::new() };
        let root = check.keep(around.root(&args.place));
        let stored = root.as_deref().and_then(|root| check.keep(Credential::load(root))).flatten();
        let written = match &args.url {
            Some(url) => check.address("--url", url),
            None => stored.as_ref().and_then(|stored| check.address("the stored credential", &stored.url)),
        };
        if args.url.is_none() && stored.is_none() {
            let words =
                "name the gateway with `--url` or `ARGUS_NODE_WS_URL`, or enrol this machine (`enrol`)";
            check.mistakes.push(words.to_owned());
        }
        let given = check.given_token(&args, around, written.as_ref());
        let node_id = node_id(&args, around, stored.as_ref().filter(|_| given.is_none()), &mut check);
        let token = given.or_else(|| check.stored_token(stored.as_ref(), written.as_ref(), &node_id));
        if let Some(address) =
            written.as_ref().map(|written| &written.address).filter(|it| it.is_in_the_clear())
        {
            let words = format!(
                "`{address}` is not encrypted: the token and all that is said can be read on the way"
            );
            check.warnings.push(words);
        }
        let state = check.keep(around.state(&args.place, &node_id));
        let told = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let rules = root.as_deref().and_then(|root| check.rules(&args.rules, root));
        match (written, token, state, root, rules) {
            (Some(written), Some(token), Some(state), Some(root), Some(rules))
                if check.mistakes.is_empty() =>
            {
                Ok(Self {
                    address: written.address,
                    token,
                    display_name: told(args.display_name).unwrap_or_else(|| around.display_name()),
                    node_id,
                    root,
                    state,
                    rules,
                    mode: args.rules.mode,
                    session_id: told(args.session_id),
                    end_with_input: args.end_with_input,
                    warnings: check.warnings,
                })
            }
            _ => Err(Mistakes(check.mistakes)),
        }
    }

    /// Makes the state folder and takes it for this process.
    pub fn claim(&self) -> anyhow::Result<Claim> {
        let shown = self.state.display();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.state)
            .with_context(|| format!("cannot make the folder `{shown}`"))?;
        let path = self.state.join("lock");
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let lock = lock.with_context(|| format!("cannot open `{}`", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Claim { _lock: lock }),
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "another node-host uses `{shown}` already; end it, or give this one a folder of its own with `--state-dir`"
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).context(format!("cannot lock `{}`", path.display()))
            }
        }
    }
}

fn node_id(
    args: &NodeHostArgs,
    around: &Surroundings,
    stored: Option<&Credential>,
    check: &mut Check,
) -> String {
    let given = args.node_id.clone().filter(|id| !id.is_empty());
    let id =
        given.or_else(|| stored.map(|stored| stored.node_id.clone())).unwrap_or_else(|| around.node_id());
    if !names_a_node(&id) {
        check.mistakes.push(bad_id(&id));
    }
    id
}

/// What is wrong with an id.
pub(crate) fn bad_id(id: &str) -> String {
    let shown: String = id.chars().take(140).collect();
    format!("`--node-id`: `{shown}` cannot be one; 1 to 128 letters, digits, `.`, `_`, `:` and `-` can")
}

struct Check {
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl Check {
    fn keep<T>(&mut self, what: Result<T, String>) -> Option<T> {
        what.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    fn rules(&mut self, args: &RulesArgs, root: &Path) -> Option<Source> {
        let named = args.policy.as_ref().filter(|path| !path.as_os_str().is_empty());
        match (args.allow_all, named) {
            (false, None) => Some(Source::Usual(root.join("policy.toml"))),
            (false, Some(path)) => {
                let path = std::path::absolute(path);
                self.keep(path.map(Source::Named).map_err(|error| format!("`--policy`: {error}")))
            }
            (true, None) if args.mode.is_none_or(|mode| mode == Action::Allow) => Some(Source::Everything),
            (true, _) => {
                let words = "`--allow-all` reads no rules: leave `--policy` and `--mode` out, or it";
                self.mistakes.push(words.to_owned());
                None
            }
        }
    }

    fn address(&mut self, whence: &str, text: &str) -> Option<Written> {
        self.keep(Address::read(text).map_err(|error| format!("`{whence}`: the address {error}")))
    }

    /// The token that somebody named: a flag wins over a file, a file over the variable, that over the address.
    fn given_token(
        &mut self,
        args: &NodeHostArgs,
        around: &Surroundings,
        written: Option<&Written>,
    ) -> Option<Secret> {
        let in_address = written.and_then(|written| written.token.clone());
        if in_address.is_some() {
            let words = "the address holds a token; it goes in a header instead, and is better kept in `ARGUS_NODE_TOKEN`";
            self.warnings.push(words.to_owned());
        }
        if let Some(token) = &args.token {
            self.warnings
                .push("`--token` can be read by everybody on this machine; `--token-file` cannot".to_owned());
            return self.usable("--token", token);
        }
        if let Some(path) = args.token_file.as_deref().filter(|path| !path.as_os_str().is_empty()) {
            let line = self.keep(first_line(path))?;
            if path.metadata().is_ok_and(|about| about.permissions().mode() & 0o077 != 0) {
                self.warnings.push(format!("`{}` can be read by others on this machine", path.display()));
            }
            return self.usable("--token-file", &line);
        }
        match &around.token {
            Some(token) => self.usable("ARGUS_NODE_TOKEN", token),
            None => in_address,
        }
    }

    fn usable(&mut self, whence: &str, token: &str) -> Option<Secret> {
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            self.mistakes.push(format!(
                "`{whence}` is no token: it is empty, or has spaces or other characters in it"
            ));
            return None;
        }
        Some(Secret::new(token))
    }

    /// The token of enrolment: for its own gateway and its own id only.
    fn stored_token(
        &mut self,
        stored: Option<&Credential>,
        written: Option<&Written>,
        node_id: &str,
    ) -> Option<Secret> {
        // Without an address or a good token more is wrong already.
        let address = &written?.address;
        let Some(stored) = stored else {
            if self.mistakes.is_empty() {
                let words = "there is no token: enrol this machine (`enrol`), or name one with `--token-file` or `ARGUS_NODE_TOKEN`";
                self.mistakes.push(words.to_owned());
            }
            return None;
        };
        let own = Address::read(&stored.url).is_ok_and(|own| own.address.is_same_gateway(address));
        if !own {
            self.mistakes.push(format!(
                "this machine is enrolled with another gateway than `{address}`: enrol it there, or name a token for it"
            ));
        } else if stored.node_id != node_id {
            self.mistakes.push(format!(
                "this machine is enrolled as `{}`, not as `{node_id}`: leave `--node-id` out, or enrol it anew",
                stored.node_id
            ));
        }
        Some(stored.token.clone())
    }
}

fn first_line(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("`--token-file`: cannot read `{}`: {error}", path.display());
    let mut text = String::new();
    File::open(path).map_err(cannot)?.take(LONGEST_TOKEN).read_to_string(&mut text).map_err(cannot)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
