//! Who is attached, who may come back, who may be asked, who hears what.

use std::collections::BTreeMap;
use std::sync::Arc;

use argus_protocol::ClientId;

use crate::input::{Identity, Listening};
use crate::introduction::Introduction;
use crate::replies::Replies;

/// Threads whose starters are remembered.
const MOST_OWNED: usize = 4096;
/// Clients that left and are remembered.
const MOST_AWAY: usize = 64;
/// Those of one holder among them.
const MOST_AWAY_OF_ONE: usize = 16;
/// How long they are, in milliseconds.
const AWAY_MS: u64 = 600_000;

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    /// Whether it may be asked for approvals.
    pub(crate) handler: bool,
    pub(crate) listening: Listening,
    /// The newest number it heard before it came.
    heard: u64,
    /// What it said of itself in `initialize`.
    pub(crate) introduction: Introduction,
    /// Its `initialize` over this connection was answered.
    pub(crate) greeted: bool,
    /// Its requests without a reply.
    pub(crate) outstanding: usize,
    /// Who it is, with the replies kept for it; a client without a name does not come back.
    pub(crate) named: Option<Named>,
}

/// A client that can come back.
#[derive(Debug)]
pub(crate) struct Named {
    identity: Identity,
    pub(crate) replies: Replies,
}

/// A client that left and may come back.
#[derive(Debug)]
struct Away {
    /// The connection it had.
    id: ClientId,
    client: Client,
    /// Until then, monotonic milliseconds.
    until: u64,
}

/// What is known of a client that attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing.
    Not,
    /// It was here over that connection, which is gone.
    Gone(ClientId),
    /// It is here still over that connection, which is to end.
    Here(ClientId),
}

/// Everybody attached, and those that may come back.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    attached: BTreeMap<ClientId, Client>,
    /// Oldest first.
    away: Vec<Away>,
    /// Who is asked when a thread has no owner: the first that may be, until another one starts a turn.
    default_handler: Option<ClientId>,
    /// Who started the turn of a thread.
    owners: BTreeMap<String, ClientId>,
    /// Who heard the newest notification, of this method, until somebody comes, goes or says what it wants to see.
    newest_audience: Option<(String, Audience)>,
}

impl Clients {
    /// A client comes. One that was here before goes on as who it was.
    pub(crate) fn attach(
        &mut self,
        id: ClientId,
        handler: bool,
        listening: Listening,
        identity: Option<Identity>,
    ) -> Known {
        let (known, before) = identity.as_ref().map_or((Known::Not, None), |who| self.take(who));
        let (introduction, outstanding, named) = match before {
            Some(before) => (before.introduction, before.outstanding, before.named),
            None => (Introduction::default(), 0, None),
        };
        let named = named.or(identity.map(|identity| Named { identity, replies: Replies::default() }));
        let client =
            Client { handler, listening, heard: 0, introduction, greeted: false, outstanding, named };
        self.attached.insert(id, client);
        self.newest_audience = None;
        if let Known::Gone(before) | Known::Here(before) = known {
            self.owners.values_mut().filter(|owner| **owner == before).for_each(|owner| *owner = id);
            if self.default_handler == Some(before) {
                self.default_handler = Some(id).filter(|_| handler).or_else(|| self.next_handler());
            }
        }
        if handler && self.default_handler.is_none() {
            self.default_handler = Some(id);
        }
        known
    }

    /// Whoever has that identity, taken out.
    fn take(&mut self, identity: &Identity) -> (Known, Option<Client>) {
        let is = |client: &Client| client.named.as_ref().is_some_and(|named| named.identity == *identity);
        if let Some(at) = self.away.iter().position(|away| is(&away.client)) {
            let away = self.away.remove(at);
            return (Known::Gone(away.id), Some(away.client));
        }
        let here = self.attached.iter().find(|(_, client)| is(client)).map(|(id, _)| *id);
        match here {
            Some(id) => (Known::Here(id), self.attached.remove(&id)),
            None => (Known::Not, None),
        }
    }

    /// A client is gone; one with a name may come back for a while. Who is forgotten for that.
    pub(crate) fn detach(&mut self, id: ClientId, now: u64) -> Option<ClientId> {
        self.newest_audience = None;
        let mut forgotten = None;
        if let Some(client) = self.attached.remove(&id) {
            if let Some(holder) = client.named.as_ref().map(|named| named.identity.holder.clone()) {
                forgotten = self.make_room_for(&holder);
                self.away.push(Away { id, client, until: now + AWAY_MS });
            } else {
                forgotten = Some(id);
            }
        }
        if let Some(id) = forgotten {
            self.forget(id);
        }
        if self.default_handler == Some(id) {
            self.default_handler = self.next_handler();
        }
        forgotten
    }

    /// Forgets a client that is away where there are too many: the oldest of this holder, who has its share before others
    /// have to go.
    fn make_room_for(&mut self, holder: &str) -> Option<ClientId> {
        let of_holder = |away: &Away| away.client.named.as_ref().is_some_and(|n| n.identity.holder == holder);
        let own = self.away.iter().filter(|away| of_holder(away)).count();
        let at = if own >= MOST_AWAY_OF_ONE {
            self.away.iter().position(of_holder)
        } else {
            (self.away.len() >= MOST_AWAY).then_some(0)
        };
        at.map(|at| self.away.remove(at).id)
    }

    /// The first that may be asked.
    fn next_handler(&self) -> Option<ClientId> {
        self.attached.iter().find(|(_, client)| client.handler).map(|(id, _)| *id)
    }

    fn forget(&mut self, id: ClientId) {
        self.owners.retain(|_, owner| *owner != id);
    }

    /// Forgets who was away too long; their connections.
    pub(crate) fn give_up(&mut self, now: u64) -> Vec<ClientId> {
        let gone: Vec<_> = self.away.extract_if(.., |away| away.until <= now).map(|away| away.id).collect();
        for id in &gone {
            self.forget(*id);
        }
        gone
    }

    /// When somebody will have been away too long.
    pub(crate) fn next_given_up(&self) -> Option<u64> {
        self.away.first().map(|away| away.until)
    }

    /// A client, attached or away.
    pub(crate) fn get(&mut self, id: ClientId) -> Option<&mut Client> {
        if let Some(client) = self.attached.get_mut(&id) {
            return Some(client);
        }
        self.away.iter_mut().find(|away| away.id == id).map(|away| &mut away.client)
    }

    /// What a client says of itself.
    pub(crate) fn introduce(&mut self, id: ClientId, introduction: Introduction) {
        self.newest_audience = None;
        if let Some(client) = self.get(id) {
            client.introduction = introduction;
        }
    }

    /// A client has the reply to its introduction.
    pub(crate) fn greeted(&mut self, id: ClientId) {
        self.newest_audience = None;
        if let Some(client) = self.get(id) {
            client.greeted = true;
        }
    }

    /// Whether it is attached.
    pub(crate) fn is_here(&self, id: ClientId) -> bool {
        self.attached.contains_key(&id)
    }

    /// Whether nobody is attached.
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

    /// Whether the turn of this thread is the client's.
    pub(crate) fn owns(&self, id: ClientId, thread: &str) -> bool {
        self.owners.get(thread) == Some(&id)
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
        self.attached.values().any(|client| match client.listening {
            Listening::Plain => true,
            Listening::Introduced => client.greeted,
            Listening::Numbered { .. } => false,
        })
    }

    /// Notes that a client heard everything up to this number before it came.
    pub(crate) fn heard(&mut self, id: ClientId, number: u64) {
        self.newest_audience = None;
        self.attached.entry(id).and_modify(|client| client.heard = number);
    }

    /// Everybody who wants to see a notification of this method, and has not heard the one of this number.
    pub(crate) fn audience(&mut self, method: &str, number: u64) -> Audience {
        if let Some((known, audience)) = &self.newest_audience
            && known == method
        {
            return audience.clone();
        }
        let (mut plain, mut introduced, mut numbered) = (Vec::new(), Vec::new(), Vec::new());
        let mut all_follow = true;
        for (id, client) in self.attached.iter().filter(|(_, client)| client.introduction.wants(method)) {
            match client.listening {
                Listening::Plain => plain.push(*id),
                Listening::Introduced if client.greeted => introduced.push(*id),
                Listening::Introduced => {}
                Listening::Numbered { .. } if client.heard < number => numbered.push(*id),
                Listening::Numbered { .. } => all_follow = false,
            }
        }
        let audience =
            Audience { plain: plain.into(), introduced: introduced.into(), numbered: numbered.into() };
        // Numbers only grow: who hears this one hears the next.
        self.newest_audience = all_follow.then(|| (method.to_owned(), audience.clone()));
        audience
    }
}

/// Who hears a notification.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audience {
    /// As it is.
    pub(crate) plain: Arc<[ClientId]>,
    /// As it is, unless it was said before they came.
    pub(crate) introduced: Arc<[ClientId]>,
    /// With its number.
    pub(crate) numbered: Arc<[ClientId]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(handlers: &[(u64, bool)]) -> Clients {
        let mut clients = Clients::default();
        for (id, handler) in handlers {
            clients.attach(ClientId::new(*id), *handler, Listening::Plain, None);
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
        clients.detach(ClientId::new(2), 0);
        assert_eq!(clients.handler(Some("t")), Some(ClientId::new(1)));
    }

    #[test]
    fn turns_in_made_up_threads_do_not_pile_up() {
        let mut clients = Clients::default();
        clients.attach(ClientId::new(1), true, Listening::Plain, None);
        (0..=MOST_OWNED).for_each(|n| clients.own(ClientId::new(1), &n.to_string()));
        assert_eq!(clients.owners.len(), MOST_OWNED);
    }

    #[test]
    fn everybody_who_came_and_nobody_who_left_hears_the_next_notification() {
        let mut clients = clients(&[(1, true), (2, true)]);
        assert_eq!(*clients.audience("a", 1).plain, [ClientId::new(1), ClientId::new(2)]);
        let text = r#"{"clientInfo":{"name":"x"},"capabilities":{"optOutNotificationMethods":["a"]}}"#;
        clients.introduce(ClientId::new(2), serde_json::from_str(text).unwrap());
        assert_eq!(*clients.audience("a", 2).plain, [ClientId::new(1)]);
        let numbered = Listening::Numbered { after: None };
        clients.attach(ClientId::new(3), true, numbered, None);
        assert_eq!(*clients.audience("a", 3).numbered, [ClientId::new(3)]);
        clients.heard(ClientId::new(3), 5);
        assert!(clients.audience("a", 5).numbered.is_empty());
        assert_eq!(*clients.audience("a", 6).numbered, [ClientId::new(3)]);
        clients.detach(ClientId::new(1), 0);
        assert!(clients.audience("a", 7).plain.is_empty());
        assert_eq!(*clients.audience("b", 8).plain, [ClientId::new(2)]);
    }

    fn come(clients: &mut Clients, id: u64, name: &str) -> Known {
        come_of(clients, id, name, name)
    }

    fn come_of(clients: &mut Clients, id: u64, holder: &str, name: &str) -> Known {
        let identity = Identity { holder: holder.to_owned(), name: name.to_owned() };
        clients.attach(ClientId::new(id), true, Listening::Plain, Some(identity))
    }

    #[test]
    fn one_holder_forgets_its_own_clients_before_those_of_others() {
        let mut clients = Clients::default();
        come_of(&mut clients, 1, "ann", "phone");
        assert_eq!(clients.detach(ClientId::new(1), 0), None);
        for id in 10..10 + MOST_AWAY as u64 * 2 {
            come_of(&mut clients, id, "bob", &id.to_string());
            clients.detach(ClientId::new(id), 0);
        }
        assert_eq!(clients.away.len(), 1 + MOST_AWAY_OF_ONE);
        assert_eq!(come_of(&mut clients, 2, "ann", "phone"), Known::Gone(ClientId::new(1)));
    }

    #[test]
    fn when_the_one_that_is_asked_comes_back_as_one_that_is_not_another_is_asked() {
        let mut clients = Clients::default();
        come(&mut clients, 1, "a");
        clients.attach(ClientId::new(2), true, Listening::Plain, None);
        let identity = Some(Identity { holder: "a".to_owned(), name: "a".to_owned() });
        clients.attach(ClientId::new(3), false, Listening::Plain, identity);
        assert_eq!(clients.handler(None), Some(ClientId::new(2)));
    }

    #[test]
    fn who_comes_back_is_who_it_was() {
        let mut clients = Clients::default();
        assert_eq!(come(&mut clients, 1, "a"), Known::Not);
        clients.own(ClientId::new(1), "t");
        clients.get(ClientId::new(1)).unwrap().outstanding = 3;
        clients.detach(ClientId::new(1), 0);
        assert!(!clients.is_here(ClientId::new(1)) && clients.handler(Some("t")).is_none());
        assert_eq!(come(&mut clients, 2, "b"), Known::Not);
        assert_eq!(come(&mut clients, 3, "a"), Known::Gone(ClientId::new(1)));
        assert_eq!(clients.handler(Some("t")), Some(ClientId::new(3)));
        assert_eq!(clients.get(ClientId::new(3)).unwrap().outstanding, 3);
        assert_eq!(come(&mut clients, 4, "a"), Known::Here(ClientId::new(3)));
        clients.detach(ClientId::new(3), 0);
        assert_eq!(clients.handler(Some("t")), Some(ClientId::new(4)));
    }

    #[test]
    fn who_is_away_too_long_or_one_too_many_is_forgotten() {
        let mut clients = Clients::default();
        for id in 0..=MOST_AWAY as u64 {
            come(&mut clients, id, &id.to_string());
            clients.detach(ClientId::new(id), id);
        }
        assert_eq!(come(&mut clients, 100, "0"), Known::Not);
        assert_eq!(clients.next_given_up(), Some(1 + AWAY_MS));
        assert_eq!(clients.give_up(2 + AWAY_MS), [ClientId::new(1), ClientId::new(2)]);
        assert_eq!(come(&mut clients, 101, "2"), Known::Not);
        assert_eq!(come(&mut clients, 102, "3"), Known::Gone(ClientId::new(3)));
    }
}
