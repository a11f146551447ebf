//! The owner's reference says what is so.

mod policy_kit;

use policy_kit::Device;

const TEXT: &str = include_str!("../../../docs/NODES.md");

#[test]
fn every_example_of_a_policy_is_understood() {
    let device = Device::new();
    let examples: Vec<&str> =
        TEXT.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        assert_eq!(device.policy(example).fault(), None, "{example}");
    }
}

#[test]
fn every_command_is_in_the_table_of_commands() {
    let table = TEXT.split("#### Commands").nth(1).and_then(|rest| rest.split("####").next()).unwrap();
    for command in argus_node_host::policy::COMMANDS {
        let (_, own) = command.split_once('.').unwrap();
        assert!(table.contains(&format!("`{command}`")) || table.contains(&format!("`.{own}`")), "{command}");
    }
}
