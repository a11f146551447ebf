//! The service brings updates to a bot that has a webhook.

use std::time::Duration;

use serde_json::Value;

use super::BotApi;

/// How long it waits before it brings again what was not taken.
const PAUSE: Duration = Duration::from_millis(20);
/// How often it brings one update.
const TRIES: usize = 500;

impl BotApi {
    /// Brings every update that waits, one after the other, to the webhook that is set, by a proxy that passes it on to
    /// `address` (`127.0.0.1:8443`) without the folder (`/argus`, or nothing). What is not taken is brought again.
    ///
    /// # Panics
    /// When no webhook is set, or one update is never taken.
    pub async fn bring_to(&self, address: &str, folder: &str) {
        let call = self.calls_of("setWebhook").pop().expect("a webhook is set");
        let told = |name: &str| call.params.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (url, secret) = (told("url"), told("secret_token"));
        let path = url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
        let path = path.strip_prefix(folder).unwrap_or(&path);
        let client = reqwest::Client::builder().no_proxy().build().expect("a client can be built");
        while let Some((id, update)) = self.board.read(|state| state.updates.first()) {
            let mut tries = 0;
            loop {
                let request = client.post(format!("http://{address}{path}")).json(&update);
                let brought = request.header("X-Telegram-Bot-Api-Secret-Token", &secret).send().await;
                if brought.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                tries += 1;
                assert!(tries < TRIES, "update {id} is never taken");
                tokio::time::sleep(PAUSE).await;
            }
            self.board.write(|state| state.updates.confirm(id + 1));
        }
    }
}
