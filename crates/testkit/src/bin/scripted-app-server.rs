//! A scripted stand-in for `codex app-server`; see `argus_testkit::app_server`.

fn main() -> std::process::ExitCode {
    argus_testkit::app_server::main()
}
