//! The two images that are shipped, built as they are shipped but for the optimisation.

use std::fs;
use std::process::Command;

use anyhow::Context;
use data_encoding::BASE64;

use super::Engine;
use crate::workspace;

/// Their tag in tests: `argus:test` and `argus-runtime:test`.
pub(crate) const TAG: &str = "test";

impl Engine {
    /// The build of each, with its name; the second one finds the programs of the first. The third is the second with
    /// another agent than Codex.
    pub(crate) fn image_builds(&self) -> anyhow::Result<[(&'static str, Command); 3]> {
        let agent = workspace::root().join("crates/testkit/agents/tiny-agent.py");
        let agent = BASE64.encode(&fs::read(&agent).with_context(|| format!("`{}`", agent.display()))?);
        let mut tiny = self.image("argus-runtime-tiny", "Dockerfile.runtime");
        for argument in [
            format!(
                "ARGUS_RUNTIME_INSTALL_CMD=cd /usr/local/bin && echo {agent} | base64 -d >tiny-agent && chmod +x tiny-agent"
            ),
            "ARGUS_RUNTIME_CMD=tiny-agent --greeting hello".to_owned(),
        ] {
            tiny.args(["--build-arg", &argument]);
        }
        Ok([
            ("image of argus", self.image("argus", "Dockerfile")),
            ("image of argus-runtime", self.image("argus-runtime", "Dockerfile.runtime")),
            ("image with another agent", tiny),
        ])
    }

    fn image(&self, name: &str, dockerfile: &str) -> Command {
        let mut command = self.docker(["build", "--build-arg", "PROFILE=quick", "--file", dockerfile]);
        command.args(["--tag", &format!("{name}:{TAG}")]);
        if self.client.kit {
            // Without a terminal's tricks, so that a log can be read.
            command.arg("--progress=plain");
        }
        command.arg(".");
        command
    }
}
