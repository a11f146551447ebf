//! What a client says of itself in `initialize`, as far as the gateway honours it.

use std::collections::BTreeSet;

use argus_protocol::agent::method;
use serde::Deserialize;

/// `params` of a client's `initialize`. Before it, a client is one that asked for nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Introduction {
    client_info: ClientInfo,
    capabilities: Capabilities,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ClientInfo {
    name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Capabilities {
    experimental_api: bool,
    opt_out_notification_methods: BTreeSet<String>,
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
}
