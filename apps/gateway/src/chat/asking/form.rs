//! Questions that are answered one after the other: those of an agent, and the forms of MCP servers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::asked::Params;
use super::bounds::short;
use super::field::{Field, Free, Pick};

/// Questions in one request that a chat can be asked.
const MOST_FIELDS: usize = 20;
/// Options of one question.
const MOST_OPTIONS: usize = 40;

/// A form.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) struct Form {
    /// The MCP server that asks; `None`: the agent itself.
    pub(in crate::chat) server: Option<String>,
    /// What is said above it; may be empty.
    pub(in crate::chat) message: String,
    /// What is asked, in order.
    pub(in crate::chat) fields: Vec<Field>,
}

/// One question of an agent, as it comes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserQuestion {
    id: String,
    #[serde(default)]
    header: String,
    #[serde(default)]
    question: String,
    #[serde(default)]
    is_other: bool,
    #[serde(default)]
    is_secret: bool,
    #[serde(default)]
    options: Option<Vec<UserOption>>,
}

#[derive(Debug, Deserialize)]
struct UserOption {
    label: String,
    #[serde(default)]
    description: String,
}

/// What has been answered of a form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::chat) struct Draft {
    /// The answers so far, in order; `None`: skipped.
    pub(in crate::chat) answers: Vec<Option<Value>>,
    /// The options that are picked of the present one, where several can be.
    #[serde(default)]
    pub(in crate::chat) picked: Vec<usize>,
}

impl Draft {
    /// What was kept of it; what cannot be read is begun anew.
    pub(in crate::chat) fn kept(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// What a button of a form does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Step {
    /// That option of that field.
    Option(usize, usize),
    /// The options that are picked there are all.
    Enough(usize),
    /// That field stays empty.
    Skip(usize),
    /// A form without fields is agreed to.
    Accept,
    /// It is not answered.
    Decline,
    /// It is broken off.
    Cancel,
}

impl Step {
    pub(in crate::chat) fn read(word: &str) -> Option<Self> {
        Some(match word {
            "ok" => Self::Accept,
            "no" => Self::Decline,
            "off" => Self::Cancel,
            _ => {
                let (field, rest) = word.split_once('.')?;
                let field = field.parse().ok()?;
                match rest {
                    "ok" => Self::Enough(field),
                    "skip" => Self::Skip(field),
                    option => Self::Option(field, option.parse().ok()?),
                }
            }
        })
    }

    pub(in crate::chat) fn word(self) -> String {
        match self {
            Self::Accept => "ok".to_owned(),
            Self::Decline => "no".to_owned(),
            Self::Cancel => "off".to_owned(),
            Self::Enough(field) => format!("{field}.ok"),
            Self::Skip(field) => format!("{field}.skip"),
            Self::Option(field, option) => format!("{field}.{option}"),
        }
    }
}

/// What a step comes to.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) enum Stepped {
    /// There is more to be answered.
    On(Draft),
    /// It is whole, with what the agent is told.
    Whole(Draft, Value),
    /// It is declined or broken off: what the agent is told.
    Refused(Value),
    /// The button belongs to something that is answered already.
    Late,
    /// As many as are picked cannot be.
    Count,
}

impl Form {
    /// The field that is to be answered next.
    pub(in crate::chat) fn present(&self, draft: &Draft) -> Option<&Field> {
        self.fields.get(draft.answers.len())
    }

    /// Takes a press.
    pub(in crate::chat) fn step(&self, mut draft: Draft, step: Step) -> Stepped {
        let now = draft.answers.len();
        match (step, self.fields.get(now)) {
            (Step::Decline, _) => Stepped::Refused(self.refusal("decline")),
            (Step::Cancel, _) => Stepped::Refused(self.refusal("cancel")),
            (Step::Accept, None) => self.complete(draft),
            (Step::Option(at, option), Some(field)) if at == now => {
                let Some(chosen) = field.options.get(option) else { return Stepped::Late };
                if field.many.is_none() {
                    return self.take(draft, Some(chosen.value.clone()));
                }
                match draft.picked.iter().position(|one| *one == option) {
                    Some(place) => drop(draft.picked.remove(place)),
                    None => draft.picked.push(option),
                }
                Stepped::On(draft)
            }
            (Step::Enough(at), Some(Field { many: Some(many), options, .. })) if at == now => {
                if !many.contains(&draft.picked.len()) {
                    return Stepped::Count;
                }
                let mut picked = std::mem::take(&mut draft.picked);
                picked.sort_unstable();
                let values = picked.into_iter().filter_map(|at| options.get(at)).map(|o| o.value.clone());
                let values = Value::Array(values.collect());
                self.take(draft, Some(values))
            }
            (Step::Skip(at), Some(field)) if at == now && !field.required => self.take(draft, None),
            _ => Stepped::Late,
        }
    }

    /// Takes an answer in words; an error says what is wrong with it.
    pub(in crate::chat) fn words(&self, draft: Draft, text: &str) -> Result<Stepped, super::field::Wrong> {
        let Some(free) = self.present(&draft).and_then(|field| field.free.as_ref()) else {
            return Ok(Stepped::Late);
        };
        Ok(self.take(draft, Some(free.read(text)?)))
    }

    fn take(&self, mut draft: Draft, answer: Option<Value>) -> Stepped {
        draft.picked.clear();
        draft.answers.push(answer);
        if draft.answers.len() < self.fields.len() { Stepped::On(draft) } else { self.complete(draft) }
    }

    fn complete(&self, draft: Draft) -> Stepped {
        let result = self.result(&draft);
        Stepped::Whole(draft, result)
    }

    fn result(&self, draft: &Draft) -> Value {
        let answers = self.fields.iter().zip(&draft.answers);
        let answers = answers.filter_map(|(field, answer)| Some((field.id.clone(), answer.clone()?)));
        if self.server.is_some() {
            return json!({ "action": "accept", "content": answers.collect::<Map<_, _>>() });
        }
        let all = answers.map(|(id, answer)| (id, json!({ "answers": [answer] })));
        json!({ "answers": all.collect::<Map<_, _>>() })
    }

    fn refusal(&self, action: &str) -> Value {
        match self.server {
            Some(_) => json!({ "action": action }),
            None => json!({ "answers": {} }),
        }
    }
}

/// The questions of an agent; nothing where they are too many.
pub(super) fn of_questions(questions: Vec<UserQuestion>) -> Option<Form> {
    if questions.is_empty() || questions.len() > MOST_FIELDS {
        return None;
    }
    let fields = questions.into_iter().map(|asked| {
        let options = asked.options.unwrap_or_default();
        let free = (asked.is_other || options.is_empty()).then_some(Free::Text {
            least: 1,
            most: None,
            format: None,
        });
        let options: Vec<_> = options
            .into_iter()
            .map(|o| Pick { value: json!(o.label), label: o.label, more: o.description })
            .collect();
        Field {
            id: asked.id,
            title: asked.header,
            question: asked.question,
            options,
            many: None,
            free,
            secret: asked.is_secret,
            required: true,
        }
    });
    whole(Form { server: None, message: String::new(), fields: fields.collect() })
}

/// The form of an MCP server; nothing where it asks for more than primitives.
pub(super) fn of_schema(params: &Params) -> Option<Form> {
    let schema = params.requested_schema.as_ref()?;
    let properties = match schema.get("properties") {
        None => Map::new(),
        Some(properties) => properties.as_object()?.clone(),
    };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields =
        properties.iter().map(|(id, schema)| Field::of_schema(id, schema, required.contains(&id.as_str())));
    let fields = fields.collect::<Option<Vec<_>>>()?;
    let server = Some(short(&params.server_name));
    whole(Form { server, message: params.message.clone(), fields })
}

fn whole(form: Form) -> Option<Form> {
    let fits =
        form.fields.len() <= MOST_FIELDS && form.fields.iter().all(|f| f.options.len() <= MOST_OPTIONS);
    fits.then_some(form)
}
