//! The two images that are shipped, built as they are shipped but for the optimisation.

use std::process::Command;

use super::Engine;

/// Their tag in tests: `argus:test` and `argus-runtime:test`.
pub(crate) const TAG: &str = "test";

impl Engine {
    /// The build of each, with its name; the second one finds the programs of the first.
    pub(crate) fn image_builds(&self) -> [(&'static str, Command); 2] {
        [
            ("image of argus", self.image("argus", "Dockerfile")),
            ("image of argus-runtime", self.image("argus-runtime", "Dockerfile.runtime")),
        ]
    }

    fn image(&self, name: &str, dockerfile: &str) -> Command {
        let mut command = self.docker(["build", "--build-arg", "PROFILE=quick", "--file", dockerfile]);
        command.args(["--tag", &format!("{name}:{TAG}"), "."]);
        if self.client.kit {
            // Without a terminal's tricks, so that a log can be read.
            command.arg("--progress=plain");
        }
        command
    }
}
