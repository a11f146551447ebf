//! Frames for many clients, gathered while nothing else goes to them, and handed over together.

use std::collections::HashMap;
use std::sync::Arc;

use argus_protocol::ClientId;
use bytes::Bytes;

use super::outbound::ClientSender;
use super::parcel::Parcel;

/// Groups that are gathered at once: those who read numbers, those who do not, and those who wait to be introduced first.
const GROUPS: usize = 3;

/// What is gathered. Each group holds other clients, so that every client gets its frames in their order.
#[derive(Debug, Default)]
pub(super) struct FanOut {
    groups: Vec<(Arc<[ClientId]>, Vec<Bytes>)>,
}

impl FanOut {
    /// Adds a frame for these clients, whose ids ascend.
    pub(super) fn add(
        &mut self,
        to: Arc<[ClientId]>,
        frame: Bytes,
        clients: &HashMap<ClientId, ClientSender>,
    ) {
        if let Some((_, frames)) = self.groups.iter_mut().find(|(group, _)| Arc::ptr_eq(group, &to)) {
            return frames.push(frame);
        }
        if self.groups.len() == GROUPS || self.groups.iter().any(|(group, _)| overlap(group, &to)) {
            self.deliver(clients);
        }
        self.groups.push((to, vec![frame]));
    }

    /// Hands over what is gathered.
    pub(super) fn deliver(&mut self, clients: &HashMap<ClientId, ClientSender>) {
        for (to, frames) in self.groups.drain(..) {
            let parcel = Parcel::of(frames);
            for client in to.iter().filter_map(|id| clients.get(id)) {
                client.send_all(parcel.clone());
            }
        }
    }
}

/// Whether two ascending lists have something in common.
fn overlap(some: &[ClientId], others: &[ClientId]) -> bool {
    some.iter().any(|id| others.binary_search(id).is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::outbound::{ClientReceiver, outbound};
    use super::*;

    fn ids(ids: &[u64]) -> Arc<[ClientId]> {
        ids.iter().map(|id| ClientId::new(*id)).collect()
    }

    async fn told(mut receiver: ClientReceiver) -> Bytes {
        let mut taken = Vec::new();
        receiver.take(&mut taken).await.unwrap();
        let pieces: Vec<_> = taken.iter().map(|parcel| parcel.packed(<[Bytes]>::to_vec)).collect();
        pieces.iter().flat_map(|pieces| pieces.iter()).flatten().copied().collect()
    }

    #[tokio::test]
    async fn every_client_gets_its_frames_in_order_however_the_groups_change() {
        let pairs: Vec<_> = (1..=3).map(|id| (ClientId::new(id), outbound())).collect();
        let clients = pairs.iter().map(|(id, (sender, _))| (*id, sender.clone())).collect();
        let mut fan_out = FanOut::default();
        let (plain, numbered, all) = (ids(&[1, 3]), ids(&[2]), ids(&[1, 2, 3]));
        for (to, frame) in [(&plain, "a"), (&numbered, "A"), (&plain, "b"), (&numbered, "B"), (&all, "c")] {
            fan_out.add(to.clone(), frame.into(), &clients);
        }
        fan_out.add(plain, "d".into(), &clients);
        fan_out.deliver(&clients);
        let mut heard = Vec::new();
        for (_, (_, receiver)) in pairs {
            heard.push(told(receiver).await);
        }
        assert_eq!(heard, ["abcd", "ABc", "abcd"]);
    }
}
