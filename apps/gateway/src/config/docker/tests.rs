use super::super::read::Mistakes;
use super::super::{Config, ProvisionMode};
use super::*;

fn args(docker: DockerArgs) -> GatewayArgs {
    GatewayArgs {
        home: Some("/srv/argus".into()),
        provision_mode: Some("docker".into()),
        docker,
        ..GatewayArgs::default()
    }
}

fn mistakes(args: &GatewayArgs) -> Vec<String> {
    let Mistakes(lines) = Config::from_args(args).unwrap_err();
    lines.iter().map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

#[test]
fn without_settings_containers_are_limited_and_the_container_is_the_wall() {
    let config = Config::from_args(&args(DockerArgs::default())).unwrap();
    let docker = config.docker.unwrap();
    assert_eq!((config.mode, config.sandbox), (ProvisionMode::Docker, Sandbox::DangerFullAccess));
    let limits = ContainerLimits {
        milli_cpus: Some(1000),
        memory: Some(2 << 30),
        memory_and_swap: None,
        pids: Some(1024),
    };
    assert_eq!(docker.limits, limits);
    assert_eq!(docker.host.to_string(), "unix:///var/run/docker.sock");
    assert_eq!((docker.home_host, docker.workspace_host), ("/srv/argus".into(), None));
    assert_eq!(
        [docker.image, docker.network, docker.prefix],
        ["argus-runtime", "argus-net", "argus-session"]
    );
}

#[test]
fn a_sandbox_that_would_fail_in_every_command_is_refused_at_the_start() {
    let codex = DockerArgs { runtime_sandbox: Some("codex".into()), ..DockerArgs::default() };
    let wish = |docker| GatewayArgs { sandbox: Some("workspace-write".into()), ..args(docker) };
    assert_eq!(mistakes(&wish(DockerArgs::default())), ["ARGUS_SANDBOX"]);
    let apart = |args: GatewayArgs| GatewayArgs { scope: Some("user".into()), ..args };
    assert!(Config::from_args(&apart(wish(codex.clone()))).is_ok());
    assert_eq!(Config::from_args(&apart(args(codex))).unwrap().sandbox, Sandbox::WorkspaceWrite);
}

#[test]
fn a_second_wall_is_refused_where_it_would_uncover_the_gateways_folder() {
    let codex = DockerArgs { runtime_sandbox: Some("codex".into()), ..DockerArgs::default() };
    assert_eq!(mistakes(&args(codex)), ["ARGUS_RUNTIME_SANDBOX"]);
}

#[test]
fn within_the_home_only_its_own_workspace_folder_is_one() {
    let with = |folder: &str| GatewayArgs { workspace: Some(folder.into()), ..args(DockerArgs::default()) };
    for folder in ["/srv/argus/projects/a", "/srv/argus/workspace/b", "/srv/argus/workspaces"] {
        assert_eq!(mistakes(&with(folder)), ["ARGUS_WORKSPACE_HOST_PATH"], "{folder}");
    }
    for folder in ["/srv/argus/workspace", "/srv/code"] {
        assert!(Config::from_args(&with(folder)).is_ok(), "{folder}");
    }
}

#[test]
fn mistakes_about_containers_are_reported_together() {
    let docker = DockerArgs {
        docker_host: Some("ssh://far".into()),
        home_host_path: Some("here".into()),
        runtime_cpus: Some("two".into()),
        runtime_mem_limit: Some("1x".into()),
        runtime_pids_limit: Some("-1".into()),
        runtime_memswap_limit: Some("1g".into()),
        runtime_user: Some("a b".into()),
        ..DockerArgs::default()
    };
    let wrong = GatewayArgs { runtime_env: Some("ARGUS_TOKEN, A=B".into()), ..args(docker) };
    let names = [
        "ARGUS_HOME_HOST_PATH",
        "DOCKER_HOST",
        "ARGUS_RUNTIME_CPUS",
        "ARGUS_RUNTIME_MEM_LIMIT",
        "ARGUS_RUNTIME_PIDS_LIMIT",
        "ARGUS_RUNTIME_USER",
        "ARGUS_RUNTIME_ENV",
        "ARGUS_RUNTIME_ENV",
        "ARGUS_RUNTIME_MEMSWAP_LIMIT",
    ];
    assert_eq!(mistakes(&wrong), names);
    let process = GatewayArgs { provision_mode: None, ..wrong };
    assert!(Config::from_args(&process).is_ok(), "processes do not care");
}

#[test]
fn a_workspace_that_would_open_the_gateways_folder_is_refused() {
    for workspace in ["/srv/argus", "/srv", "/", "/srv/argus/gateway", "/srv/argus/sessions/x", "/a/../srv"] {
        let args = GatewayArgs { workspace: Some(workspace.into()), ..args(DockerArgs::default()) };
        assert_eq!(mistakes(&args), ["ARGUS_WORKSPACE_HOST_PATH"], "{workspace}");
    }
    for workspace in ["/srv/desk", "/srv/argus/workspace", "/srv/argus-2"] {
        let args = GatewayArgs { workspace: Some(workspace.into()), ..args(DockerArgs::default()) };
        assert_eq!(Config::from_args(&args).unwrap().workspace, Path::new(workspace));
    }
}

#[test]
fn only_named_variables_that_are_set_are_passed_on() {
    let args = GatewayArgs {
        runtime_env: Some("OPENAI_API_KEY, EMPTY,MISSING".into()),
        ..args(DockerArgs::default())
    };
    let value = |name: &str| match name {
        "OPENAI_API_KEY" => Some("sk-1".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    let found = docker(&args, Path::new("/srv/argus"), &mut Reader::default(), value);
    let expected = Secret::parse("sk-1").unwrap();
    assert_eq!(found.env, BTreeMap::from([("OPENAI_API_KEY".to_owned(), expected)]));
    assert!(!format!("{found:?}").contains("sk-1"));
}

#[test]
fn a_token_where_runtimes_could_read_it_is_refused() {
    let with = |file: &str| GatewayArgs {
        token_file: Some(file.into()),
        workspace: Some("/srv/desk".into()),
        ..args(DockerArgs::default())
    };
    for file in ["/srv/argus/token", "/srv/argus/workspace/token", "/srv/desk/token"] {
        assert_eq!(mistakes(&with(file)), ["ARGUS_TOKEN_FILE"], "{file}");
    }
    for file in ["/srv/argus/gateway/token", "/run/argus/token"] {
        assert!(Config::from_args(&with(file)).is_ok(), "{file}");
    }
}
