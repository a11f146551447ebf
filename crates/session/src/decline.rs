//! What a question of the agent is answered with when nobody does: no, in the words of its kind.

use argus_protocol::agent::method;
use argus_protocol::error::FAILED;
use argus_protocol::{RpcError, frame};
use bytes::Bytes;

/// The answer to a question of this method; `id` is the agent's own, JSON text.
pub(crate) fn declined(method: &str, id: &str) -> Bytes {
    let result = match method {
        method::APPROVE_COMMAND | method::APPROVE_FILE_CHANGE => r#"{"decision":"decline"}"#,
        method::APPROVE_COMMAND_V1 | method::APPROVE_PATCH_V1 => r#"{"decision":"denied"}"#,
        // Granted is what is named here: nothing.
        method::APPROVE_PERMISSIONS => r#"{"permissions":{},"scope":"turn"}"#,
        method::ELICITATION => r#"{"action":"decline"}"#,
        method::USER_INPUT => r#"{"answers":{}}"#,
        _ => return frame::reply_error(id, &RpcError::new(FAILED, "nobody answered in time")),
    };
    frame::reply(id, result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_answers_is_declined_in_the_words_of_its_kind() {
        for (method, answer) in [
            (method::APPROVE_COMMAND, r#"{"id":7,"result":{"decision":"decline"}}"#),
            (method::APPROVE_PERMISSIONS, r#"{"id":7,"result":{"permissions":{},"scope":"turn"}}"#),
            ("execCommandApproval", r#"{"id":7,"result":{"decision":"denied"}}"#),
            ("item/tool/requestUserInput", r#"{"id":7,"result":{"answers":{}}}"#),
            ("no/such", r#"{"id":7,"error":{"code":-32000,"message":"nobody answered in time"}}"#),
        ] {
            assert_eq!(declined(method, "7"), answer);
        }
    }
}
