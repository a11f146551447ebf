//! The settings of how messages come: out of which groups, and whether Telegram brings them.

use std::net::SocketAddr;

use argus_protocol::token::Secret;
use clap::Args;
use url::Url;

use crate::config::{GroupMode, Groups, Reception, Webhook};

/// Settings of receiving, still as text.
#[derive(Args, Clone, Default)]
pub struct ReceptionArgs {
    /// What is heard in groups: mention (what is said to the bot) or all [default: mention]
    #[arg(long, env = "TELEGRAM_GROUP_MODE", value_name = "WORD")]
    pub telegram_group_mode: Option<String>,

    /// The public https address at which Telegram brings messages to the bot; unset, the bot asks for them
    #[arg(long, env = "TELEGRAM_WEBHOOK_URL", value_name = "URL")]
    pub telegram_webhook_url: Option<String>,

    /// Where the bot listens for them, without TLS: a proxy has it [default: 127.0.0.1:8443]
    #[arg(long, env = "TELEGRAM_WEBHOOK_BIND", value_name = "ADDRESS")]
    pub telegram_webhook_bind: Option<String>,

    /// What Telegram has to show with each message; 16 to 256 of A-Z a-z 0-9 _ - [default: another with each start]
    #[arg(long, env = "TELEGRAM_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub telegram_webhook_secret: Option<String>,
}

impl ReceptionArgs {
    /// How messages come. `context` is how many messages of others the gateway tells the agent; everything wrong is
    /// added to `wrong`, one sentence each.
    pub fn resolve(self, context: u32, wrong: &mut Vec<String>) -> Reception {
        let mode = match given(self.telegram_group_mode).as_deref() {
            None | Some("mention") => GroupMode::Mention,
            Some("all") => GroupMode::All,
            Some(_) => {
                wrong.push("`TELEGRAM_GROUP_MODE` is mention or all".to_owned());
                GroupMode::Mention
            }
        };
        let groups = Groups { mode, overhears: context > 0 };
        let bind = given(self.telegram_webhook_bind).unwrap_or_else(|| "127.0.0.1:8443".to_owned());
        let bind: Option<SocketAddr> = bind.parse().ok();
        if bind.is_none() {
            wrong
                .push("`TELEGRAM_WEBHOOK_BIND` is no address with a port, such as 127.0.0.1:8443".to_owned());
        }
        let secret = given(self.telegram_webhook_secret).map_or_else(random, |text| secret(&text));
        let secret = secret.map_err(|why| wrong.push(format!("`TELEGRAM_WEBHOOK_SECRET` {why}"))).ok();
        let url = given(self.telegram_webhook_url).map(|text| https(&text));
        let url =
            url.transpose().map_err(|why| wrong.push(format!("`TELEGRAM_WEBHOOK_URL` {why}"))).ok().flatten();
        let webhook = match (url, bind, secret) {
            (Some(url), Some(bind), Some(secret)) => Some(Webhook { url, bind, secret }),
            _ => None,
        };
        Reception { groups, webhook }
    }
}

fn https(text: &str) -> Result<Url, String> {
    let mut url = crate::gateway_url::from_http(text)?;
    if url.scheme() != "https" {
        return Err("begins with `http:`: Telegram brings messages to https:// only".to_owned());
    }
    let _ = (url.set_username(""), url.set_password(None));
    Ok(url)
}

fn secret(text: &str) -> Result<Secret, String> {
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    // Whoever guesses it speaks for anybody, operators too.
    let secret = Secret::parse(text).filter(|_| (16..=256).contains(&text.len()) && text.chars().all(fit));
    secret.ok_or_else(|| "has to be 16 to 256 of A-Z, a-z, 0-9, _ and -".to_owned())
}

fn random() -> Result<Secret, String> {
    let part = || getrandom::u64().map_err(|error| format!("cannot be made: {error}"));
    secret(&format!("{:016x}{:016x}{:016x}{:016x}", part()?, part()?, part()?, part()?))
}

/// The text without white space around it; empty counts as not set.
fn given(setting: Option<String>) -> Option<String> {
    setting.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(args: ReceptionArgs) -> (Reception, Vec<String>) {
        let mut wrong = Vec::new();
        let reception = args.resolve(0, &mut wrong);
        (reception, wrong)
    }

    #[test]
    fn without_settings_telegram_is_asked_and_groups_have_to_mention_us() {
        let (reception, wrong) = resolved(ReceptionArgs::default());
        assert!(wrong.is_empty() && reception.webhook.is_none());
        assert_eq!(reception.groups, Groups { mode: GroupMode::Mention, overhears: false });
        assert!(ReceptionArgs::default().resolve(5, &mut Vec::new()).groups.overhears);
    }

    #[test]
    fn a_webhook_has_an_address_a_place_and_a_secret() {
        let args = ReceptionArgs {
            telegram_group_mode: Some("all".into()),
            telegram_webhook_url: Some("https://a.example/hook?x".into()),
            ..ReceptionArgs::default()
        };
        let (reception, wrong) = resolved(args.clone());
        let webhook = reception.webhook.unwrap();
        assert_eq!((wrong.len(), reception.groups.mode), (0, GroupMode::All));
        assert_eq!(
            (webhook.url.as_str(), webhook.bind.to_string()),
            ("https://a.example/hook/", "127.0.0.1:8443".into())
        );
        assert_eq!(webhook.secret.reveal().len(), 64);
        let given =
            ReceptionArgs { telegram_webhook_secret: Some("s_1-s_2-s_3-s_4-".into()), ..args.clone() };
        assert!(resolved(given).0.webhook.unwrap().secret.matches("s_1-s_2-s_3-s_4-"));
        let short = ReceptionArgs { telegram_webhook_secret: Some("s_1-s_2-s_3-s_4".into()), ..args };
        let (reception, wrong) = resolved(short);
        assert!(
            reception.webhook.is_none() && wrong[0].contains("16 to 256"),
            "what can be guessed: {wrong:?}"
        );
    }

    #[test]
    fn every_mistake_is_told_and_no_secret_with_it() {
        let (_, wrong) = resolved(ReceptionArgs {
            telegram_group_mode: Some("some".into()),
            telegram_webhook_url: Some("http://a".into()),
            telegram_webhook_bind: Some("here".into()),
            telegram_webhook_secret: Some("hush hush".into()),
        });
        assert_eq!(wrong.len(), 4, "{wrong:?}");
        assert!(wrong.iter().all(|sentence| !sentence.contains("hush")));
    }
}
