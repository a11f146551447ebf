//! The settings of nodes and of the agent's tools, checked.

use argus_protocol::token::Secret;
use clap::Args;
use url::Url;

use super::read::Reader;
use super::{GatewayArgs, ProvisionMode};

/// Settings of nodes and tools, still as text.
#[derive(Args, Clone, Default)]
pub struct NodesArgs {
    /// A token that several machines share.
    #[arg(
        long,
        env = "ARGUS_NODE_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        help = "A token with which any machine can be a node; weaker than `argus node enrol`, which gives each one its own"
    )]
    pub node_token: Option<String>,
    /// A token for the tools of the default session.
    #[arg(
        long,
        env = "ARGUS_MCP_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        help = "A token for the tools of the default session at /mcp; runtimes have one of their own without it"
    )]
    pub mcp_token: Option<String>,
    /// Where runtimes reach the gateway.
    #[arg(
        long,
        env = "ARGUS_RUNTIME_GATEWAY_URL",
        value_name = "URL",
        help = "Where runtimes reach this gateway, such as http://gateway:8080 [default: found out]"
    )]
    pub runtime_gateway_url: Option<String>,
    /// Whether a runtime has a node of its own.
    #[arg(
        long,
        env = "ARGUS_RUNTIME_NODE",
        value_name = "0|1",
        help = "Whether each runtime is a node of its own [default: 1 in a container, else 0]"
    )]
    pub runtime_node: Option<String>,
}

/// Nodes and the agent's tools.
#[derive(Clone, Debug, Default)]
pub struct NodesConfig {
    /// What any machine can be a node with.
    pub node_token: Option<Secret>,
    /// What opens the tools of the default session.
    pub mcp_token: Option<Secret>,
    /// Where runtimes reach the gateway, without a slash at the end; found out unless it is set.
    pub gateway_url: Option<String>,
    /// Whether each runtime is a node.
    pub runtime_node: bool,
}

pub(super) fn nodes(args: &GatewayArgs, mode: ProvisionMode, read: &mut Reader) -> NodesConfig {
    let args = &args.nodes;
    let mut token = |name: &str, text: Option<&String>| {
        Secret::bearer(text.map_or("", String::as_str)).unwrap_or_else(|why| {
            read.mistake(format!("{name}: {why}"));
            None
        })
    };
    let node_token = token("ARGUS_NODE_TOKEN", args.node_token.as_ref());
    let mcp_token = token("ARGUS_MCP_TOKEN", args.mcp_token.as_ref());
    if node_token.is_some() && node_token == mcp_token {
        read.mistake(
            "ARGUS_NODE_TOKEN, ARGUS_MCP_TOKEN: they open different things; give each its own".to_owned(),
        );
    }
    NodesConfig {
        node_token,
        mcp_token,
        gateway_url: read.or("ARGUS_RUNTIME_GATEWAY_URL", args.runtime_gateway_url.as_ref(), None, |text| {
            base(text).map(Some)
        }),
        runtime_node: read.or(
            "ARGUS_RUNTIME_NODE",
            args.runtime_node.as_ref(),
            mode == ProvisionMode::Docker,
            |text| match text {
                "1" => Ok(true),
                "0" => Ok(false),
                _ => Err("expected 0 or 1".to_owned()),
            },
        ),
    }
}

/// An address without a path, a query or a name and password in it.
fn base(text: &str) -> Result<String, String> {
    const EXPECTED: &str = "expected http:// or https:// with a host, such as http://gateway:8080";
    let url: Url = text.parse().map_err(|_| EXPECTED.to_owned())?;
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !bare || url.path() != "/" {
        return Err(EXPECTED.to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(nodes: NodesArgs, mode: ProvisionMode) -> (NodesConfig, Vec<String>) {
        let mut reader = Reader::default();
        let config = super::nodes(&GatewayArgs { nodes, ..GatewayArgs::default() }, mode, &mut reader);
        (config, reader.into_mistakes())
    }

    #[test]
    fn a_runtime_in_a_container_is_a_node_and_one_on_this_machine_only_when_asked_for() {
        let word = |word: &str| NodesArgs { runtime_node: Some(word.into()), ..NodesArgs::default() };
        assert!(read(NodesArgs::default(), ProvisionMode::Docker).0.runtime_node);
        assert!(!read(NodesArgs::default(), ProvisionMode::Process).0.runtime_node);
        assert!(read(word("1"), ProvisionMode::Process).0.runtime_node);
        assert!(!read(word("0"), ProvisionMode::Docker).0.runtime_node);
        let told = read(word("yes"), ProvisionMode::Docker).1;
        assert_eq!(told, ["ARGUS_RUNTIME_NODE: expected 0 or 1, got `yes`"]);
    }

    #[test]
    fn an_address_for_runtimes_has_no_path_and_no_secret_in_it() {
        let url = |url: &str| NodesArgs { runtime_gateway_url: Some(url.into()), ..NodesArgs::default() };
        let (config, told) = read(url("http://gateway:8080/"), ProvisionMode::Docker);
        assert_eq!((config.gateway_url.as_deref(), told), (Some("http://gateway:8080"), Vec::new()));
        for bad in
            ["gateway:8080", "ws://gateway", "http://u:p@gateway", "http://gateway/mcp", "http://g?token=t"]
        {
            assert_eq!(read(url(bad), ProvisionMode::Docker).1.len(), 1, "{bad}");
        }
    }

    #[test]
    fn shared_tokens_differ_and_are_not_repeated() {
        let both = |node: &str, mcp: &str| NodesArgs {
            node_token: Some(node.into()),
            mcp_token: Some(mcp.into()),
            ..NodesArgs::default()
        };
        assert!(read(both("a", "b"), ProvisionMode::Docker).1.is_empty());
        for (node, mcp) in [("same", "same"), ("no good", "b")] {
            let told = read(both(node, mcp), ProvisionMode::Docker).1;
            assert!(told.len() == 1 && !told[0].contains(node), "{told:?}");
        }
    }
}
