//! What a client says of itself in `initialize`, as far as the gateway honours it. A null is as good as nothing.

use std::collections::BTreeSet;

use argus_protocol::agent::method;
use serde::{Deserialize, Deserializer};

/// `params` of a client's `initialize`. Before it, a client is one that asked for nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Introduction {
    #[serde(deserialize_with = "or_nothing")]
    client_info: ClientInfo,
    #[serde(deserialize_with = "or_nothing")]
    capabilities: Capabilities,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ClientInfo {
    #[serde(deserialize_with = "or_nothing")]
    name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Capabilities {
    #[serde(deserialize_with = "or_nothing")]
    experimental_api: bool,
    #[serde(deserialize_with = "or_nothing")]
    opt_out_notification_methods: BTreeSet<String>,
}

fn or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Option::deserialize(input).map(Option::unwrap_or_default)
}

impl Introduction {
    /// The client's own name for itself; empty when it gave none.
    pub(crate) fn name(&self) -> &str {
        &self.client_info.name
    }

    /// Whether it asked for what the agent calls experimental.
    pub(crate) fn is_experimental(&self) -> bool {
        self.capabilities.experimental_api
    }

    /// Whether it wants to see notifications of this method.
    pub(crate) fn wants(&self, method: &str) -> bool {
        (method != method::READ_STATE_CHANGED || self.is_experimental())
            && !self.capabilities.opt_out_notification_methods.contains(method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_sees_no_experimental_notification_unless_it_asked_and_none_it_opted_out_of() {
        let text = r#"{"clientInfo":{"name":"x"},"capabilities":{"experimentalApi":true,"optOutNotificationMethods":["a"]}}"#;
        let asked: Introduction = serde_json::from_str(text).unwrap();
        let wants = |who: &Introduction| [method::READ_STATE_CHANGED, "a", "b"].map(|name| who.wants(name));
        assert_eq!(wants(&asked), [true, false, true]);
        assert_eq!(wants(&Introduction::default()), [false, true, true]);
    }

    #[test]
    fn a_null_is_as_good_as_nothing() {
        let text = r#"{"clientInfo":{"name":"codex-tui","title":null},"capabilities":{"experimentalApi":true,"requestAttestation":false,"optOutNotificationMethods":null}}"#;
        let terminal: Introduction = serde_json::from_str(text).unwrap();
        assert_eq!((terminal.name(), terminal.is_experimental()), ("codex-tui", true));
        let text = r#"{"clientInfo":null,"capabilities":null}"#;
        assert!(!serde_json::from_str::<Introduction>(text).unwrap().is_experimental());
    }
}
