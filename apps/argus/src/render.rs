//! `argus render`: what a chat would be sent of a text, one call of its channel a line.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use argus_gateway::delivery;
use argus_gateway::store::ledger::{Body, Language};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Show what a chat would be sent of a text in Markdown
#[derive(Args)]
pub(crate) struct Render {
    #[command(subcommand)]
    channel: Channel,
}

#[derive(Subcommand)]
enum Channel {
    /// As calls of the Bot API, one JSON object a line
    Telegram(Telegram),
}

#[derive(Args)]
struct Telegram {
    /// The file with the text; `-` reads what is put in
    file: PathBuf,
    /// Characters over which it comes as a file, 0 = never
    #[arg(long, default_value_t = 16384, value_name = "CHARACTERS")]
    long_answer: usize,
}

pub(crate) fn run(render: &Render) -> anyhow::Result<ExitCode> {
    let Channel::Telegram(Telegram { file, long_answer }) = &render.channel;
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("what is put in cannot be read as text")?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    let long = Some(*long_answer).filter(|long| *long > 0);
    let mut out = std::io::stdout().lock();
    for body in delivery::answer(&text, long, Language::English) {
        writeln!(out, "{}", call(body))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn call(body: Body) -> Value {
    match body {
        Body::Text(text) => json!({
            "method": "sendMessage", "text": text.html, "parse_mode": "HTML", "link_preview_options": { "is_disabled": true },
        }),
        Body::Document(file) => {
            let mut call = json!({ "method": "sendDocument", "document": file.name, "content": file.text });
            if !file.html.is_empty() {
                call["caption"] = json!(file.html);
                call["parse_mode"] = json!("HTML");
            }
            call
        }
        // An answer has no others.
        Body::Edit(_) | Body::TakeBack(_) | Body::Files(_) => Value::Null,
    }
}
