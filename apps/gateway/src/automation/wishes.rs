//! How the chat that asks wants its turn: the model, how hard it thinks, when it asks for approval.

use argus_session::{Origin, Prompt};

use crate::store::ledger::{Ledger, LedgerError};

/// The prompt of a turn that somebody asked for, with what their chat wishes. Clients choose for themselves.
pub(super) async fn grant(ledger: &Ledger, origin: &Origin, prompt: Prompt) -> Result<Prompt, LedgerError> {
    let Origin::Chat { chat, .. } = origin else { return Ok(prompt) };
    let wishes = ledger.chat_settings(chat).await?;
    Ok(Prompt { model: wishes.model, effort: wishes.effort, approval: wishes.approval, ..prompt })
}

#[cfg(test)]
mod tests {
    use argus_session::ChatRef;

    use super::*;
    use crate::store::ledger::ChatSettings;

    #[tokio::test]
    async fn a_chats_turn_runs_as_the_chat_wishes_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.db"), |_, _| Vec::new()).await.unwrap();
        let chat =
            |key: &str| ChatRef { channel: "telegram".into(), bot: "1".into(), chat: key.parse().unwrap() };
        let wishes = ChatSettings {
            model: Some("m".into()),
            effort: Some("high".into()),
            approval: Some("never".into()),
            ..ChatSettings::default()
        };
        let (seven, stored) = (chat("7"), wishes.clone());
        let set =
            ledger.write(move |tx| Box::pin(async move { tx.set_chat_settings(&seven, &stored).await }));
        set.await.unwrap();
        let asked = |key: &str| Origin::Chat { chat: chat(key), user: "7".into(), message: "1".into() };
        let plain = Prompt { text: "hi".into(), images: vec!["a.png".into()], ..Prompt::default() };
        let run =
            Prompt { model: wishes.model, effort: wishes.effort, approval: wishes.approval, ..plain.clone() };
        let beat = Origin::Heartbeat { why: argus_session::Beat::Due, chat: Some(chat("7")) };
        let job = Origin::Cron { job: "j".into(), run: "j@1".into(), chat: Some(chat("7")) };
        let client = Origin::Client { chat: Some(chat("7")) };
        for (origin, expected) in
            [(asked("7"), &run), (asked("8"), &plain), (client, &plain), (beat, &plain), (job, &plain)]
        {
            assert_eq!(grant(&ledger, &origin, plain.clone()).await.unwrap(), *expected, "{origin:?}");
        }
    }
}
