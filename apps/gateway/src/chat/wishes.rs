//! How a chat wants its turns, and how a person is spoken to: menus with buttons, and what a press of one changes.

use argus_protocol::argus::chat::{Disposition, Pressed, Receive};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::button::{Deed, Setting};
use super::known::first_sight;
use super::pressing::{alert, notice, silent};
use super::{ChatError, Done, Parts, Spoken, chat_of, reply, texts};
use crate::config::{Approval, while_running};
use crate::store::ledger::{Button, ChatSettings, Language, Person, Role, Seen};

/// Words for what a message does while a turn runs.
const BUSY: [&str; 3] = ["queue", "steer", "interrupt"];
/// Models that are offered.
const MOST_MODELS: usize = 20;
/// How long the agent may take to list its models.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// A text with buttons.
pub(super) struct Menu {
    pub(super) text: String,
    pub(super) buttons: Vec<Vec<Button>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Models {
    data: Vec<Model>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    #[serde(rename = "model")]
    name: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    is_default: bool,
    #[serde(default)]
    supported_reasoning_efforts: Vec<Effort>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Effort {
    reasoning_effort: String,
}

impl Parts {
    /// `/model`: noted; the menu comes when the agent has answered.
    pub(super) async fn ask_for_models(
        &self,
        message: &Receive,
        person: Person,
        language: Language,
    ) -> Result<Done, ChatError> {
        let message = message.clone();
        let seen =
            self.ledger.write(move |tx| Box::pin(async move { first_sight(tx, &message, &person).await }));
        Ok(match seen.await? {
            Seen::First => Done::AsksAgent(language),
            Seen::Again => Done::As(Disposition::Repeated),
        })
    }

    /// Asks the agent what it offers, and shows that; without a place nobody is asked.
    pub(super) async fn show_models(
        &self,
        message: &Receive,
        language: Language,
        place: Option<OwnedSemaphorePermit>,
    ) {
        let shown = async {
            let Menu { text, buttons } = if place.is_some() {
                self.models(message, language).await?
            } else {
                let reason = "too many wait for the agent; try again in a moment";
                Menu { text: texts::cannot(language, reason), buttons: Vec::new() }
            };
            let message = message.clone();
            let put = self.ledger.write(move |tx| {
                Box::pin(async move { reply::put_menu(tx, &message, &text, buttons).await })
            });
            Ok::<_, ChatError>(put.await?)
        };
        if let Err(error) = shown.await {
            tracing::warn!(chat.key = %message.chat_key, %error, "the models could not be shown");
        }
    }

    /// What the agent offers.
    async fn models(&self, message: &Receive, language: Language) -> Result<Menu, ChatError> {
        let session = self.session(message).await?;
        let wishes = self.ledger.chat_settings(&chat_of(message)).await?;
        let asked = self.turns.ask_agent(&session, "model/list", json!({}));
        let told = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(told) => told,
            Err(_) => Err("the agent did not answer in time; try again in a moment".to_owned()),
        };
        let models = told.and_then(|told| {
            serde_json::from_value::<Models>(told).map_err(|error| format!("no list of models: {error}"))
        });
        Ok(match models {
            Ok(models) => model_menu(&models.data, &wishes, language),
            Err(reason) => Menu { text: texts::cannot(language, &reason), buttons: Vec::new() },
        })
    }

    /// `/approvals`: when the agent asks.
    pub(super) async fn approvals(&self, message: &Receive, language: Language) -> Result<Menu, ChatError> {
        let wishes = self.ledger.chat_settings(&chat_of(message)).await?;
        let present = wishes.approval.as_deref();
        let mut buttons =
            choices(&Approval::ALL.map(Approval::as_str), present, Setting::Approval, str::to_owned);
        buttons.push(default(present, Setting::Approval(None), language));
        let text = texts::commands::approvals(language, present.unwrap_or(&self.approval), &self.sandbox);
        Ok(Menu { text, buttons })
    }

    /// `/busy`: what a message does while a turn runs.
    pub(super) async fn busy(&self, message: &Receive, language: Language) -> Result<Menu, ChatError> {
        let wishes = self.ledger.chat_settings(&chat_of(message)).await?;
        let present = wishes.while_running.as_deref();
        let label = |word: &str| texts::commands::busy_word(language, word);
        let mut buttons = choices(&BUSY, present, Setting::WhileRunning, label);
        buttons.push(default(present, Setting::WhileRunning(None), language));
        Ok(Menu { text: texts::commands::busy(language), buttons })
    }

    /// A press below one of these menus.
    pub(super) async fn set(
        &self,
        by: &Spoken,
        person: &Person,
        setting: Setting,
    ) -> Result<Pressed, ChatError> {
        let language = person.reads(&by.user);
        let fits = match &setting {
            Setting::Approval(Some(word)) => Approval::of_word(word).is_some(),
            Setting::WhileRunning(Some(word)) => while_running(word).is_some(),
            Setting::Language(Some(word)) => matches!(word.as_str(), "en" | "zh"),
            _ => true,
        };
        if !fits {
            return Ok(notice(texts::asking::unknown_button(language)));
        }
        if matches!(setting, Setting::Approval(_)) && person.role != Role::Operator {
            return Ok(alert(texts::commands::operators_only(language)));
        }
        let (by, wanted) = (by.clone(), setting.clone());
        let seen = self.ledger.write(move |tx| {
            Box::pin(async move {
                let (channel, bot) = (&by.chat.channel, &by.chat.bot);
                let seen = tx.note_received(channel, bot, &by.idempotency_key).await?;
                if seen == Seen::Again {
                    return Ok(seen);
                }
                if let Setting::Language(speaks) = &wanted {
                    tx.set_language(&by.chat, &by.user.id, speaks.as_deref()).await?;
                    return Ok(seen);
                }
                let before = tx.chat_settings(&by.chat).await?;
                tx.set_chat_settings(&by.chat, &changed(before, wanted)).await?;
                Ok(seen)
            })
        });
        if seen.await? == Seen::Again {
            return Ok(silent());
        }
        let language = match &setting {
            Setting::Language(Some(word)) => Language::of_tag(Some(word)),
            _ => language,
        };
        Ok(notice(texts::commands::set(language, &setting)))
    }
}

fn changed(before: ChatSettings, setting: Setting) -> ChatSettings {
    match setting {
        // Another model may know other efforts.
        Setting::Model(model) => ChatSettings { model, effort: None, ..before },
        Setting::Effort(effort) => ChatSettings { effort, ..before },
        Setting::Approval(approval) => ChatSettings { approval, ..before },
        Setting::WhileRunning(while_running) => ChatSettings { while_running, ..before },
        Setting::Language(_) => before,
    }
}

fn model_menu(models: &[Model], wishes: &ChatSettings, language: Language) -> Menu {
    let present = wishes.model.as_deref();
    let shown = models.iter().filter(|model| !model.hidden).take(MOST_MODELS);
    let mut buttons: Vec<_> = shown
        .filter_map(|model| {
            let name = if model.display_name.is_empty() { &model.name } else { &model.display_name };
            let marked = present == Some(model.name.as_str());
            row(name, marked, &Deed::Set(Setting::Model(Some(model.name.clone()))))
        })
        .collect();
    buttons.push(default(present, Setting::Model(None), language));
    let chosen = models.iter().find(|model| match present {
        Some(present) => model.name == present,
        None => model.is_default,
    });
    let efforts = chosen.map(|model| model.supported_reasoning_efforts.as_slice()).unwrap_or_default();
    let effort = wishes.effort.as_deref();
    let mut line = Vec::new();
    for word in efforts.iter().map(|effort| effort.reasoning_effort.as_str()) {
        line.extend(row(word, effort == Some(word), &Deed::Set(Setting::Effort(Some(word.to_owned())))));
    }
    let mut line: Vec<_> = line.into_iter().flatten().collect();
    if !line.is_empty() {
        let text = texts::commands::default_effort(language);
        line.extend(row(&text, effort.is_none(), &Deed::Set(Setting::Effort(None))).into_iter().flatten());
        buttons.extend(line.chunks(4).map(<[Button]>::to_vec));
    }
    let name = chosen.map(|model| model.name.as_str()).or(present);
    Menu { text: texts::commands::models(language, name, effort), buttons }
}

/// `/lang`: how a person is spoken to.
pub(super) fn languages(person: &Person, language: Language) -> Menu {
    let present = person.speaks.as_deref();
    let languages = [("English", Some("en")), ("中文", Some("zh"))];
    let mut buttons: Vec<_> = languages
        .into_iter()
        .filter_map(|(name, tag)| {
            row(name, present == tag, &Deed::Set(Setting::Language(tag.map(str::to_owned))))
        })
        .collect();
    let auto = texts::commands::automatic(language);
    buttons.extend(row(&auto, present.is_none(), &Deed::Set(Setting::Language(None))));
    Menu { text: texts::commands::languages(language), buttons }
}

fn choices(
    words: &[&str],
    present: Option<&str>,
    setting: impl Fn(Option<String>) -> Setting,
    label: impl Fn(&str) -> String,
) -> Vec<Vec<Button>> {
    let row_of =
        |word: &&str| row(&label(word), present == Some(word), &Deed::Set(setting(Some((*word).to_owned()))));
    words.iter().filter_map(row_of).collect()
}

fn default(present: Option<&str>, setting: Setting, language: Language) -> Vec<Button> {
    row(&texts::commands::default(language), present.is_none(), &Deed::Set(setting)).unwrap_or_default()
}

/// One button in a row of its own; what stands is marked.
pub(super) fn row(text: &str, marked: bool, deed: &Deed) -> Option<Vec<Button>> {
    let shown: String = text.chars().take(48).collect();
    let text = if marked { format!("• {shown}") } else { shown };
    Some(vec![Button { text, data: deed.data()? }])
}
