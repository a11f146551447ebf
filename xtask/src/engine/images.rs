//! The two images that are shipped, built as they are shipped but for the optimisation.

use std::fs;
use std::process::Command;

use anyhow::Context;
use data_encoding::BASE64;

use super::Engine;
use crate::workspace;

/// How much the compiler optimises.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Optimised {
    /// A little, in half the time: for tests.
    Quickly,
    /// As what is shipped: for figures.
    Fully,
}

impl Optimised {
    /// The images' tag: `argus:test` and `argus-runtime:test`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Quickly => "test",
            Self::Fully => "bench",
        }
    }

    fn profile(self) -> &'static str {
        match self {
            Self::Quickly => "quick",
            Self::Fully => "release",
        }
    }
}

impl Engine {
    /// The build of each, with its name; the second one finds the programs of the first. The third is the second with
    /// another agent than Codex.
    pub(crate) fn image_builds(&self, optimised: Optimised) -> anyhow::Result<[(&'static str, Command); 3]> {
        let agent = workspace::root().join("crates/testkit/agents/tiny-agent.py");
        let agent = BASE64.encode(&fs::read(&agent).with_context(|| format!("`{}`", agent.display()))?);
        let mut tiny = self.image("argus-runtime-tiny", "Dockerfile.runtime", optimised);
        for argument in [
            format!(
                "ARGUS_RUNTIME_INSTALL_CMD=cd /usr/local/bin && echo {agent} | base64 -d >tiny-agent && chmod +x tiny-agent"
            ),
            "ARGUS_RUNTIME_CMD=tiny-agent --greeting hello".to_owned(),
        ] {
            tiny.args(["--build-arg", &argument]);
        }
        Ok([
            ("image of argus", self.image("argus", "Dockerfile", optimised)),
            ("image of argus-runtime", self.image("argus-runtime", "Dockerfile.runtime", optimised)),
            ("image with another agent", tiny),
        ])
    }

    fn image(&self, name: &str, dockerfile: &str, optimised: Optimised) -> Command {
        let mut command = self.docker([
            "build",
            "--build-arg",
            &format!("PROFILE={}", optimised.profile()),
            "--file",
            dockerfile,
        ]);
        command.args(["--tag", &format!("{name}:{}", optimised.tag())]);
        if self.client.kit {
            // Without a terminal's tricks, so that a log can be read.
            command.arg("--progress=plain");
        }
        command.arg(".");
        command
    }
}

#[cfg(test)]
mod tests {
    /// From the first stage to the programs that it makes.
    fn compilation(dockerfile: &str) -> &str {
        let (_, rest) = dockerfile.split_once("\n# The manifests alone").expect("the first stage is there");
        rest.split_once("\n\n# ")
            .or_else(|| rest.split_once("\n\nFROM ${NODE_IMAGE}"))
            .expect("another follows")
            .0
    }

    #[test]
    fn both_images_come_from_one_compilation() {
        let argus = compilation(include_str!("../../../Dockerfile"));
        let runtime = compilation(include_str!("../../../Dockerfile.runtime"));
        assert!(argus.contains("cargo build --locked"), "{argus}");
        assert_eq!(argus, runtime);
    }

    #[test]
    fn neither_needs_more_than_the_classic_builder_has() {
        for dockerfile in [include_str!("../../../Dockerfile"), include_str!("../../../Dockerfile.runtime")] {
            let lines = dockerfile.lines().filter(|line| !line.starts_with("# "));
            let new = ["--mount", "--link", "--chmod", "<<EOF", "syntax="];
            let found: Vec<_> = lines.filter(|line| new.iter().any(|word| line.contains(word))).collect();
            assert_eq!(found, Vec::<&str>::new());
        }
    }

    #[test]
    fn the_image_of_sessions_has_the_codex_that_is_tested() {
        let version = format!("@openai/codex@{}", crate::codex::VERSION);
        for text in [include_str!("../../../Dockerfile.runtime"), include_str!("../../../docker-compose.yml")]
        {
            assert!(text.contains(&version), "{version}");
        }
    }
}
