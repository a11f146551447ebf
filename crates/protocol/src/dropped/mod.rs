//! What can be known of a JSON line of which only the two ends are left.
//!
//! A huge line is huge because of one member. What routing needs stands before it or after it: `method` and `id` mostly
//! at the head, `threadId` often behind the long items. The head is read forwards and the tail backwards, which JSON
//! allows: seen from its end, a string begins at the first quote that no odd number of backslashes precedes.

mod head;
mod tail;
mod token;

use crate::bridge::Event;

/// Members that were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// `method`.
    pub method: Option<String>,
    /// `id`, a number or a string, as JSON text.
    pub id: Option<String>,
    /// `params.threadId`.
    pub thread_id: Option<String>,
}

/// The news of a line of so many bytes that broke the limit and is dropped.
pub fn event(head: &[u8], tail: &[u8], bytes: u64, limit: usize) -> Event {
    let Seen { method, id, thread_id } = search(head, tail);
    Event::Dropped { method, id, thread_id, bytes, limit: limit as u64 }
}

/// Searches the first and the last bytes of a line; in a short line they may overlap.
pub fn search(head: &[u8], tail: &[u8]) -> Seen {
    let (front, open) = head::read(head);
    let back = tail::read(tail, open.as_deref() == Some("params"));
    Seen {
        method: front.method.or(back.method),
        id: front.id.or(back.id),
        thread_id: front.thread_id.or(back.thread_id),
    }
}

impl Seen {
    /// Takes note of a member of the top level.
    fn top(&mut self, key: &str, value: &[u8]) {
        match key {
            "method" => self.method = text(value),
            "id" => self.id = number_or_text(value),
            _ => {}
        }
    }
}

/// The JSON string `raw`, decoded.
fn text(raw: &[u8]) -> Option<String> {
    serde_json::from_slice(raw).ok()
}

fn number_or_text(raw: &[u8]) -> Option<String> {
    let is_id = serde_json::from_slice::<serde_json::Number>(raw).is_ok() || text(raw).is_some();
    is_id.then(|| String::from_utf8_lossy(raw).into_owned())
}

#[cfg(test)]
mod tests;
