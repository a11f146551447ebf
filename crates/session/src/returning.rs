//! Clients come, leave, and come back: what each hears first, and what goes on for one that is away.

use argus_protocol::argus::session::{ATTACHED, Attached, GAP, Gap};
use argus_protocol::{ClientId, frame};
use bytes::Bytes;

use crate::clients::Known;
use crate::effect::Effect;
use crate::input::{Arrival, Listening};
use crate::session::Session;

impl Session {
    /// A client comes: who the session is, what it missed, what it is owed, what it is asked.
    pub(crate) fn attach(&mut self, client: ClientId, arrival: Arrival) {
        let Arrival { hello, listening, handler, identity } = arrival;
        let has_name = identity.is_some();
        let known = self.clients.attach(client, handler, listening.clone(), identity);
        self.take_over(known, client);
        let mut hello = Attached { returned: has_name.then_some(known != Known::Not), ..hello };
        if let Listening::Numbered { .. } = listening {
            hello.epoch = Some(self.history.epoch().to_owned());
            hello.seq = Some(self.history.newest());
        }
        self.tell(client, frame::notification(ATTACHED, &hello));
        let mut heard_before = None;
        if let Listening::Numbered { after: Some(heard) } = &listening {
            let missed = self.history.missed(heard);
            heard_before = Some(missed.heard);
            self.clients.heard(client, missed.heard);
            if let Some((from, to)) = missed.gap {
                self.tell(client, frame::notification(GAP, &Gap { from, to }));
            }
            missed.frames.into_iter().for_each(|text| self.tell(client, text));
        }
        let named = self.clients.get(client).and_then(|client| client.named.as_mut());
        let owed = named.map(|named| named.replies.take(heard_before)).unwrap_or_default();
        for text in owed {
            self.tell(client, text);
        }
        self.offer_requests();
        if listening == Listening::Plain {
            for text in self.history.take_unheard() {
                self.tell(client, text);
            }
        }
        self.want_runtime();
    }

    /// Whatever was the client's over its connection before is its own over this one.
    fn take_over(&mut self, known: Known, client: ClientId) {
        let (Known::Gone(before) | Known::Here(before)) = known else { return };
        if known == Known::Here(before) {
            self.effects.push_back(Effect::Replaced { client: before });
        }
        self.relay.hand_over(before, client);
        self.withdraw_offers_of(before);
        if self.clients.get(client).is_some_and(|client| client.handler) {
            self.withdraw_offers_for(client);
        }
    }

    /// A client is gone. One with a name may come back, and what it asked for goes on meanwhile.
    pub(crate) fn detach(&mut self, client: ClientId) {
        if let Some(forgotten) = self.clients.detach(client, self.now.mono) {
            self.relay.forget_client(forgotten);
        }
        self.withdraw_offers_of(client);
        self.offer_requests();
    }

    /// Who did not come back is forgotten.
    pub(crate) fn give_up_waiting(&mut self) {
        for client in self.clients.give_up(self.now.mono) {
            self.relay.forget_client(client);
        }
    }

    /// Sends to one client.
    pub(crate) fn tell(&mut self, client: ClientId, text: Bytes) {
        self.effects.push_back(Effect::ToClient { client, text });
    }

    /// Gives a client the reply to its request `id` (JSON text): now, or when it is back. One that is gone for good
    /// gets none.
    pub(crate) fn reply(&mut self, client: ClientId, id: &str, text: Bytes) {
        let (here, newest) = (self.clients.is_here(client), self.history.newest());
        let Some(known) = self.clients.get(client) else { return };
        match &mut known.named {
            Some(named) if here => named.replies.note_sent(id, text.clone(), newest),
            Some(named) => named.replies.owe(id, text.clone(), newest),
            None => {}
        }
        if here {
            self.tell(client, text);
        }
    }
}
