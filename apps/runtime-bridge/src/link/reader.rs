//! What a gateway says.

use std::sync::Arc;
use std::time::Duration;

use argus_jsonl::Line;
use argus_protocol::bridge::{self, FromGateway, parse_line};
use bytes::Bytes;
use futures::StreamExt as _;

use super::Gateway;
use super::alive::Alive;
use crate::desk::{Desk, Fault};
use crate::door::Lines;

/// How often a gateway that waits for space is counted as heard.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads until the gateway leaves; tells why.
///
/// One that shall leave is read from too, unheard when another took its place: a socket that is closed with something
/// unread in it may lose what was written to it last.
pub(super) async fn read(desk: &Desk, gateway: &Arc<Gateway>, alive: &Alive, mut lines: Lines) -> String {
    loop {
        match lines.next().await {
            None => return "it left".to_owned(),
            Some(Err(error)) => return error.to_string(),
            Some(Ok(Line::Text(line))) => {
                if let Err(fault) = hear(desk, gateway, alive, line).await {
                    tracing::error!(%fault, "the gateway's numbering is broken; closing its connection");
                    return fault.to_string();
                }
            }
            Some(Ok(Line::Oversized { head, bytes, .. })) => {
                let Ok(bridge::Line::Frame(number, _)) = parse_line(&head) else {
                    return format!("a line of {bytes} bytes without a number");
                };
                tracing::error!(number, bytes, "a frame over the line limit is dropped");
                // An empty frame takes its number, so that the ones after it are in order.
                if let Err(fault) = take(desk, gateway, alive, number, Bytes::new()).await {
                    return fault.to_string();
                }
            }
        }
    }
}

async fn hear(desk: &Desk, gateway: &Arc<Gateway>, alive: &Alive, line: Bytes) -> Result<(), Fault> {
    match parse_line(&line) {
        Ok(bridge::Line::Frame(number, json)) => {
            let json = line.slice_ref(json);
            take(desk, gateway, alive, number, json).await
        }
        Ok(bridge::Line::Control(json)) => control(desk, gateway, json),
        Ok(bridge::Line::Event(..)) | Err(_) => {
            tracing::warn!(bytes = line.len(), "a line of no known form is ignored");
            Ok(())
        }
    }
}

/// Takes a frame, however long the agent lets it wait.
async fn take(
    desk: &Desk,
    gateway: &Arc<Gateway>,
    alive: &Alive,
    number: u64,
    json: Bytes,
) -> Result<(), Fault> {
    let mut take = std::pin::pin!(desk.take(gateway, number, json));
    loop {
        match tokio::time::timeout(PATIENCE, &mut take).await {
            Ok(taken) => return taken,
            Err(_) => alive.heard(),
        }
    }
}

fn control(desk: &Desk, gateway: &Arc<Gateway>, json: &[u8]) -> Result<(), Fault> {
    match serde_json::from_slice(json) {
        Ok(FromGateway::Ack { n }) => return desk.acknowledge(gateway, n),
        Ok(FromGateway::Start {}) => desk.order_by(gateway, crate::inbox::Inbox::order_start),
        Ok(FromGateway::Kill {}) => desk.order_by(gateway, crate::inbox::Inbox::order_kill),
        Ok(FromGateway::Stop { grace_ms }) => {
            desk.order_by(gateway, |inbox| inbox.order_stop(Duration::from_millis(grace_ms)));
        }
        Ok(FromGateway::Ping {}) => gateway.owe_pong(),
        Ok(FromGateway::Pong {}) => {}
        Ok(FromGateway::Hello { .. }) => tracing::warn!("a second hello is ignored"),
        Err(error) => tracing::warn!(%error, "a control line is not understood and ignored"),
    }
    Ok(())
}
