//! Methods that the agent keeps for clients which ask for them with `capabilities.experimentalApi`.
//!
//! Source: what `codex app-server generate-json-schema --experimental` prints more than the same without the flag, in
//! version 0.169; a test asks the real agent.

/// Their names, sorted.
pub const EXPERIMENTAL: [&str; 75] = [
    "account/bedrock/checkGovCloudRequirements",
    "account/bedrock/discover",
    "account/bedrock/setup",
    "account/gcp/setup",
    "accountSession/list",
    "accountSession/switch",
    "collaborationMode/list",
    "environment/add",
    "environment/info",
    "environment/status",
    "fuzzyFileSearch/sessionStart",
    "fuzzyFileSearch/sessionStop",
    "fuzzyFileSearch/sessionUpdate",
    "mcpServer/event/stream/start",
    "mcpServer/event/stream/stop",
    "memory/reset",
    "memory/status",
    "mock/experimentalMethod",
    "plugin/search",
    "process/kill",
    "process/resizePty",
    "process/spawn",
    "process/writeStdin",
    "project/create",
    "project/delete",
    "project/import",
    "project/list",
    "project/move",
    "project/read",
    "project/update",
    "remoteControl/client/list",
    "remoteControl/client/revoke",
    "remoteControl/disable",
    "remoteControl/enable",
    "remoteControl/pairing/start",
    "remoteControl/pairing/status",
    "remoteControl/status/read",
    "rollout/compress",
    "server/diagnostics",
    "thread/backgroundTerminals/clean",
    "thread/backgroundTerminals/list",
    "thread/backgroundTerminals/terminate",
    "thread/decrement_elicitation",
    "thread/guardianReview",
    "thread/increment_elicitation",
    "thread/items/read",
    "thread/memory/read",
    "thread/memoryMode/set",
    "thread/prediction/request",
    "thread/prepareApprovedPlan",
    "thread/queue/add",
    "thread/queue/delete",
    "thread/queue/list",
    "thread/queue/reorder",
    "thread/queue/start",
    "thread/queue/update",
    "thread/readState/update",
    "thread/realtime/appendAudio",
    "thread/realtime/appendSpeech",
    "thread/realtime/appendText",
    "thread/realtime/listVoices",
    "thread/realtime/start",
    "thread/realtime/stop",
    "thread/sample",
    "thread/sample/cancel",
    "thread/search",
    "thread/searchOccurrences",
    "thread/settings/update",
    "thread/timeline/list",
    "turn/settings/update",
    "userVerification/cancel",
    "userVerification/delete",
    "userVerification/enroll",
    "userVerification/status",
    "userVerification/verify",
];

/// Whether a client has to ask for this method. Ones that are newer than this list pass: the agent judges them.
pub fn is_experimental(method: &str) -> bool {
    EXPERIMENTAL.binary_search(&method).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_can_be_searched() {
        assert!(EXPERIMENTAL.is_sorted() && EXPERIMENTAL.iter().all(|name| is_experimental(name)));
        assert!(!is_experimental("turn/start"));
    }
}
