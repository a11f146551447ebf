//! What the environment and the system say beside the flags, and what follows of it: where things are kept, usual names.

use std::path::PathBuf;

use crate::args::Place;

/// What the environment and the system say beside the flags.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) token: Option<String>,
    pub(crate) app_home: Option<PathBuf>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) host: String,
}

impl Surroundings {
    /// Where all nodes of this user keep what they keep, the credential among it.
    pub(crate) fn root(&self, place: &Place) -> Result<PathBuf, String> {
        let named = place.state_dir.clone().filter(|path| !path.as_os_str().is_empty());
        named
            .or_else(|| self.app_home.as_ref().map(|home| home.join("node-host")))
            .or_else(|| self.home.as_ref().map(|home| home.join(".argus/node-host")))
            .ok_or_else(|| "there is no `HOME`: name a folder with `--state-dir`".to_owned())
    }

    /// Where one node keeps what it keeps.
    pub(crate) fn state(&self, place: &Place, node_id: &str) -> Result<PathBuf, String> {
        let root = self.root(place)?;
        Ok(if place.state_dir.as_ref().is_some_and(|path| *path == root) {
            root
        } else {
            root.join(safe(node_id))
        })
    }

    /// The host's name, as far as it can be an id.
    pub(crate) fn node_id(&self) -> String {
        let fits = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let id: String = self.host.chars().map(fits).take(128).collect();
        if id.is_empty() { "node".to_owned() } else { id }
    }

    pub(crate) fn display_name(&self) -> String {
        if self.host.is_empty() { "node".to_owned() } else { self.host.clone() }
    }
}

/// A node's id as the name of a folder.
fn safe(node_id: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
    let name: String = node_id.chars().map(fits).take(120).collect();
    // These lead elsewhere.
    if name.chars().all(|c| c == '.') { "_".repeat(name.len().max(1)) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_protocol::node::names_a_node;
    use std::path::Path;

    #[test]
    fn an_id_is_made_of_the_hosts_name_and_a_folder_of_the_id() {
        let id = |host: &str| Surroundings { host: host.into(), ..Surroundings::default() }.node_id();
        assert_eq!([id("my mac.local"), id(""), id("a:b/ä")], ["my-mac.local", "node", "a-b--"]);
        assert!(names_a_node(&id(&"x".repeat(500))));
        for (id, folder) in [("runtime:s1", "runtime_s1"), ("..", "__"), (".", "_"), ("a.b-c_D", "a.b-c_D")] {
            assert_eq!(safe(id), folder);
        }
        assert_eq!(safe(&"x".repeat(128)).len(), 120);
        let around =
            Surroundings { app_home: Some("/a".into()), home: Some("/h".into()), ..Surroundings::default() };
        assert_eq!(around.state(&Place::default(), "n").unwrap(), Path::new("/a/node-host/n"));
        let place = Place { state_dir: Some("/s".into()) };
        assert_eq!(around.state(&place, "n").unwrap(), Path::new("/s"));
    }
}
