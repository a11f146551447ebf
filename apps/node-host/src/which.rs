//! `system.which`: where a program is.

use argus_protocol::node::{Fault, code};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::call::{Answer, Call, Command, read, told};
use crate::policy::{Policy, program};

/// Says where programs are, by the policy's own `PATH`.
#[derive(Clone, Debug)]
pub struct Which(Policy);

impl Which {
    /// By that policy.
    pub fn new(policy: Policy) -> Self {
        Self(policy)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    bin: String,
}

#[derive(Serialize)]
struct Told {
    bin: String,
    /// The file as it is named in `PATH`; none: there is no executable one.
    path: Option<String>,
}

#[async_trait]
impl Command for Which {
    fn names(&self) -> Vec<&'static str> {
        ["system.which"].into_iter().filter(|name| self.0.offers(name)).collect()
    }

    async fn call(&self, call: Call) -> Answer {
        let Asked { bin } = read(&call)?;
        if bin.is_empty() || bin.contains(['/', '\0']) || bin.len() > 255 {
            let words = "`bin` is the name of a program, without a folder";
            return Err(Fault::new(code::BAD_INPUT, words));
        }
        let path = program::in_path(&bin, &self.0.path());
        told(&Told { path: path.map(|path| path.to_string_lossy().into_owned()), bin })
    }
}
