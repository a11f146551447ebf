//! The container that the gateway itself runs in, if it does: it must be on the network of the runtimes.

use std::fs;

/// The id of our container. It is read from where the engine keeps the files that it gives every container.
pub(super) fn container() -> Option<String> {
    read(&fs::read_to_string("/proc/self/mountinfo").ok()?)
}

/// `… /var/lib/docker/containers/<id>/hostname /etc/hostname …`, as `proc(5)` describes it.
fn read(mounts: &str) -> Option<String> {
    let given = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ');
        let (source, target) = (fields.nth(3)?, fields.next()?);
        ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"].contains(&target).then_some(source)
    })?;
    let mut parts = given.split('/').rev();
    let id = parts.find(|part| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::read;

    const ID: &str = "a00c7e00416692f4d6dabc2c8e762dfaa45cbf92ae9cedcfcbd1c1d847f53462";

    #[test]
    fn in_a_container_the_engines_own_files_name_it() {
        for folder in ["/var/lib/docker/containers/ID", "/c/overlay-containers/ID/userdata"] {
            let folder = folder.replace("ID", ID);
            let line =
                format!("135 118 254:0 {folder}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw\n");
            assert_eq!(read(&format!("94 27 0:4 / /proc rw - proc proc rw\n{line}")), Some(ID.to_owned()));
        }
    }

    #[test]
    fn on_a_machine_the_files_of_its_containers_are_not_ours() {
        let shm = format!("/var/lib/docker/containers/{ID}/mounts/shm");
        assert_eq!(read(&format!("135 118 0:50 / {shm} rw - tmpfs shm rw\n")), None);
        assert_eq!(read("135 118 254:0 /run/resolv.conf /etc/resolv.conf rw - tmpfs tmpfs rw\n"), None);
        assert_eq!(read(""), None);
    }
}
