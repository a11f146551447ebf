//! Who is attached, what each asked to see, who may be asked.

use std::collections::{BTreeMap, BTreeSet};

use argus_protocol::ClientId;
use argus_protocol::agent::method;
use serde::Deserialize;

use crate::input::Listening;

/// Threads whose starters are remembered.
const MOST_OWNED: usize = 4096;

/// One attached client.
#[derive(Debug)]
pub(crate) struct Client {
    /// Whether it may be asked for approvals.
    pub(crate) handler: bool,
    listening: Listening,
    /// The newest number it heard before it came.
    heard: u64,
    /// What it said of itself in `initialize`.
    pub(crate) introduction: Introduction,
    /// Its requests without a reply.
    pub(crate) outstanding: usize,
}

/// `params` of a client's `initialize`, as far as the gateway honours them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Introduction {
    client_info: ClientInfo,
    capabilities: Capabilities,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClientInfo {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Capabilities {
    experimental_api: bool,
    opt_out_notification_methods: BTreeSet<String>,
}

impl Introduction {
    /// The client's own name for itself; empty when it gave none.
    pub(crate) fn name(&self) -> &str {
        &self.client_info.name
    }

    fn wants(&self, method: &str) -> bool {
        (method != method::READ_STATE_CHANGED || self.capabilities.experimental_api)
            && !self.capabilities.opt_out_notification_methods.contains(method)
    }
}

/// Everybody attached.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    attached: BTreeMap<ClientId, Client>,
    /// Who is asked when a thread has no owner: the first that may be, until another one starts a turn.
    default_handler: Option<ClientId>,
    /// Who started the turn of a thread.
    owners: BTreeMap<String, ClientId>,
}

impl Clients {
    pub(crate) fn attach(&mut self, id: ClientId, handler: bool, listening: Listening) {
        let client =
            Client { handler, listening, heard: 0, introduction: Introduction::default(), outstanding: 0 };
        self.attached.insert(id, client);
        if handler && self.default_handler.is_none() {
            self.default_handler = Some(id);
        }
    }

    pub(crate) fn detach(&mut self, id: ClientId) {
        self.attached.remove(&id);
        self.owners.retain(|_, owner| *owner != id);
        if self.default_handler == Some(id) {
            self.default_handler = self.attached.iter().find(|(_, c)| c.handler).map(|(id, _)| *id);
        }
    }

    pub(crate) fn get(&mut self, id: ClientId) -> Option<&mut Client> {
        self.attached.get_mut(&id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.attached.is_empty()
    }

    /// The client starts a turn in this thread: from now on it is asked first.
    pub(crate) fn own(&mut self, id: ClientId, thread: &str) {
        if self.owners.len() >= MOST_OWNED {
            // Turns that were refused leave their claim behind; which of them goes does not matter much.
            self.owners.pop_first();
        }
        self.owners.insert(thread.to_owned(), id);
        if self.attached.get(&id).is_some_and(|client| client.handler) {
            self.default_handler = Some(id);
        }
    }

    pub(crate) fn disown(&mut self, thread: &str) {
        self.owners.remove(thread);
    }

    /// Who is asked about this thread; `None` while nobody can be.
    pub(crate) fn handler(&self, thread: Option<&str>) -> Option<ClientId> {
        let owner = thread.and_then(|thread| self.owners.get(thread)).copied();
        owner.filter(|id| self.attached.get(id).is_some_and(|c| c.handler)).or(self.default_handler)
    }

    /// Whether anybody hears what is said as it comes.
    pub(crate) fn have_plain(&self) -> bool {
        self.attached.values().any(|client| client.listening == Listening::Plain)
    }

    /// Notes that a client heard everything up to this number before it came.
    pub(crate) fn heard(&mut self, id: ClientId, number: u64) {
        self.attached.entry(id).and_modify(|client| client.heard = number);
    }

    /// Everybody who wants to see a notification of this method, and has not heard the one of this number.
    pub(crate) fn audience(&self, method: &str, number: u64) -> Audience {
        let mut audience = Audience::default();
        for (id, client) in self.attached.iter().filter(|(_, client)| client.introduction.wants(method)) {
            match client.listening {
                Listening::Plain => audience.plain.push(*id),
                Listening::Numbered { .. } if client.heard < number => audience.numbered.push(*id),
                Listening::Numbered { .. } => {}
            }
        }
        audience
    }
}

/// Who hears a notification.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    /// As it is.
    pub(crate) plain: Vec<ClientId>,
    /// With its number.
    pub(crate) numbered: Vec<ClientId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(handlers: &[(u64, bool)]) -> Clients {
        let mut clients = Clients::default();
        for (id, handler) in handlers {
            clients.attach(ClientId::new(*id), *handler, Listening::Plain);
        }
        clients
    }

    #[test]
    fn who_declined_the_role_is_never_asked() {
        let mut clients = clients(&[(1, false)]);
        clients.own(ClientId::new(1), "t");
        assert_eq!(clients.handler(Some("t")), None);
    }

    #[test]
    fn the_owner_of_the_turn_is_asked_first_and_its_successor_when_it_leaves() {
        let mut clients = clients(&[(1, true), (2, true)]);
        clients.own(ClientId::new(2), "t");
        assert_eq!(clients.handler(Some("t")), Some(ClientId::new(2)));
        clients.detach(ClientId::new(2));
        assert_eq!(clients.handler(Some("t")), Some(ClientId::new(1)));
    }

    #[test]
    fn a_client_sees_no_experimental_notification_unless_it_asked_and_none_it_opted_out_of() {
        let mut clients = clients(&[(1, true), (2, true)]);
        let text = r#"{"clientInfo":{"name":"x"},"capabilities":{"experimentalApi":true,"optOutNotificationMethods":["a"]}}"#;
        clients.get(ClientId::new(2)).unwrap().introduction = serde_json::from_str(text).unwrap();
        assert_eq!(clients.audience(method::READ_STATE_CHANGED, 1).plain, [ClientId::new(2)]);
        assert_eq!(clients.audience("a", 1).plain, [ClientId::new(1)]);
    }

    #[test]
    fn turns_in_made_up_threads_do_not_pile_up() {
        let mut clients = Clients::default();
        clients.attach(ClientId::new(1), true, Listening::Plain);
        (0..=MOST_OWNED).for_each(|n| clients.own(ClientId::new(1), &n.to_string()));
        assert_eq!(clients.owners.len(), MOST_OWNED);
    }
}
