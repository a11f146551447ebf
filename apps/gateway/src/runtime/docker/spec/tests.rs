use super::*;

pub(in super::super) const INSTALLATION: &str = "0123456789abcdef";

/// Settings as they are unless somebody sets them.
pub(in super::super) fn settings() -> DockerConfig {
    DockerConfig {
        host: crate::config::EngineHost::Unix("/var/run/docker.sock".into()),
        home_host: "/srv/argus".into(),
        workspace_host: None,
        image: "argus-runtime".into(),
        network: "argus-net".into(),
        prefix: "argus-session".into(),
        limits: ContainerLimits {
            milli_cpus: Some(1000),
            memory: Some(2 << 30),
            memory_and_swap: None,
            pids: Some(1024),
        },
        user: None,
        inner_sandbox: InnerSandbox::None,
        env: BTreeMap::new(),
    }
}

pub(in super::super) fn spec(config: &DockerConfig) -> ContainerSpec {
    spec_of(config, &Files::Shared)
}

fn spec_of(config: &DockerConfig, files: &Files) -> ContainerSpec {
    let ground =
        Ground { config, agent: "codex app-server", line_limit: 64 << 20, installation: INSTALLATION };
    let secret = SigningKey::new([7; 32]).derive("bridge", "s1");
    ContainerSpec::new(ground, &"s1".parse().unwrap(), &secret, files, "n1")
}

/// Holds a description against the one in `golden/`; built with `UPDATE_GOLDEN` set, writes it there.
fn agrees(spec: &ContainerSpec, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runtime/docker/spec/golden").join(name);
    let text = serde_json::to_string_pretty(spec).unwrap() + "\n";
    if option_env!("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{}", path.display());
}

#[test]
fn a_shared_container_is_made_of_this() {
    agrees(&spec(&settings()), "shared.json");
}

#[test]
fn a_container_with_everything_set_is_made_of_this() {
    let limits = ContainerLimits { milli_cpus: Some(1500), memory: None, memory_and_swap: None, pids: None };
    let config = DockerConfig {
        home_host: "/mnt/home".into(),
        workspace_host: Some("/mnt/work".into()),
        user: Some("1000:1000".into()),
        env: [("OPENAI_API_KEY".to_owned(), Secret::parse("sk-1").unwrap())].into(),
        limits,
        ..settings()
    };
    agrees(&spec(&config), "set.json");
}

#[test]
fn a_container_with_files_of_its_own_is_made_of_this() {
    agrees(&spec_of(&settings(), &Files::Own), "own.json");
}

#[test]
fn every_setting_changes_the_posture_and_nothing_else_does() {
    let base = settings();
    let changed = [
        DockerConfig { home_host: "/x".into(), ..settings() },
        DockerConfig { workspace_host: Some("/x".into()), ..settings() },
        DockerConfig { user: Some("1000".into()), ..settings() },
        DockerConfig { inner_sandbox: InnerSandbox::Codex, ..settings() },
        DockerConfig { limits: ContainerLimits { pids: Some(1), ..settings().limits }, ..settings() },
        DockerConfig { env: [("A".to_owned(), Secret::parse("b").unwrap())].into(), ..settings() },
    ];
    let posture = spec(&base).posture().to_owned();
    assert_eq!(spec(&base).posture(), posture);
    for config in changed {
        assert_ne!(spec(&config).posture(), posture, "{config:?}");
    }
    let host = DockerConfig { host: crate::config::EngineHost::Tcp("x:1".into()), ..settings() };
    assert_eq!(spec(&host).posture(), posture, "the way to the engine is no part of a container");
}

#[test]
fn only_a_user_that_is_not_root_goes_without_capabilities() {
    for (user, plain) in
        [("0", false), ("root", false), ("0:1000", false), ("00", false), ("1000", true), ("node:node", true)]
    {
        let config = DockerConfig { user: Some(user.into()), ..settings() };
        let spec = spec(&config);
        assert_eq!((spec.capabilities.is_empty(), spec.read_only_root), (plain, plain), "{user}");
    }
}

#[test]
fn the_second_wall_takes_a_profile_of_its_own_and_for_root_one_capability_more() {
    let config = DockerConfig { inner_sandbox: InnerSandbox::Codex, ..settings() };
    let (with, without) = (spec(&config), spec(&settings()));
    assert_eq!(with.capabilities.iter().filter(|one| !without.capabilities.contains(one)).count(), 1);
    let profile = with.security[1].strip_prefix("seccomp=").unwrap();
    let profile: serde_json::Value = serde_json::from_str(profile).unwrap();
    let rules = profile["syscalls"].as_array().unwrap();
    let allows = |name: &str| {
        rules.iter().any(|rule| {
            let named = rule["names"].as_array().unwrap().iter().any(|one| one == name);
            named && rule["action"] == "SCMP_ACT_ALLOW" && rule.get("args").is_none()
        })
    };
    for name in ["clone", "unshare", "mount", "umount2", "pivot_root", "openat", "execve"] {
        assert!(allows(name), "{name}");
    }
    for name in ["bpf", "setns", "init_module", "keyctl", "reboot", "open_by_handle_at"] {
        assert!(!allows(name), "{name}");
    }
    let plain = DockerConfig { user: Some("1000".into()), ..config };
    assert_eq!(spec(&plain).capabilities, Vec::<&str>::new());
}

#[test]
fn values_of_variables_do_not_show() {
    let config =
        DockerConfig { env: [("A".to_owned(), Secret::parse("hush").unwrap())].into(), ..settings() };
    assert!(!format!("{:?}", spec(&config)).contains("hush"));
}

#[test]
fn the_installations_name_is_the_same_for_the_same_key_and_says_nothing_of_it() {
    let name = installation(&SigningKey::new([7; 32]));
    assert_eq!(name, installation(&SigningKey::new([7; 32])));
    assert_ne!(name, installation(&SigningKey::new([8; 32])));
    assert!(name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
}
