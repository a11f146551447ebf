//! Tests of the way to the agent.

use std::time::Duration;

use bytes::Bytes;

use super::{End, Inbox, Next, Order, Taken, WAITING_BYTES, WAITING_FRAMES};

fn running() -> (Inbox, u64) {
    let mut inbox = Inbox::new();
    let epoch = inbox.begin(1000);
    (inbox, epoch)
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[test]
fn each_frame_is_taken_once_and_in_order() {
    let (mut inbox, epoch) = running();
    assert_eq!(inbox.take(1, &text("a")), Taken::Queued);
    assert_eq!(inbox.take(1, &text("a")), Taken::Repeated);
    assert_eq!(inbox.take(3, &text("c")), Taken::Hole);
    assert_eq!(inbox.take(2, &text("b")), Taken::Queued);
    assert_eq!((inbox.taken(), inbox.handed()), (2, 0));
    assert_eq!(inbox.next(epoch), Next::Frame(1, text("a")));
    inbox.handed_over(1);
    assert_eq!(inbox.next(epoch), Next::Frame(2, text("b")));
    inbox.handed_over(2);
    assert_eq!((inbox.next(epoch), inbox.handed()), (Next::Wait, 2));
}

#[test]
fn frames_for_no_agent_are_dropped_but_counted() {
    let (mut inbox, epoch) = running();
    inbox.take(1, &text("a"));
    inbox.ended();
    assert_eq!((inbox.handed(), inbox.next(epoch)), (1, Next::End));
    assert_eq!(inbox.take(2, &text("b")), Taken::Dropped);
    assert_eq!((inbox.taken(), inbox.handed()), (2, 2));
}

#[test]
fn frames_after_a_start_are_for_the_new_agent() {
    let (mut inbox, old) = running();
    inbox.take(1, &text("old"));
    inbox.order_kill();
    assert_eq!(inbox.end(), Some(End::Kill));
    assert_eq!(inbox.take(2, &text("lost")), Taken::Dropped);
    inbox.order_start();
    assert_eq!(inbox.take(3, &text("new")), Taken::Queued);
    assert_eq!(inbox.next(old), Next::End);
    inbox.ended();
    assert_eq!(inbox.order(), Some(Order::Start));
    let new = inbox.begin(1000);
    assert_eq!(new, old + 1, "epochs grow even if the clock does not");
    assert_eq!(inbox.next(new), Next::Frame(3, text("new")));
    assert_eq!((inbox.order(), inbox.end()), (None, None));
}

#[test]
fn a_start_means_nothing_to_a_running_agent() {
    let (mut inbox, _) = running();
    inbox.order_start();
    inbox.ended();
    assert_eq!(inbox.order(), None);
}

#[test]
fn a_stop_lets_what_waits_go_first_and_nothing_after() {
    let (mut inbox, epoch) = running();
    inbox.take(1, &text("a"));
    inbox.order_stop(Duration::from_secs(5));
    inbox.order_stop(Duration::from_secs(9));
    assert_eq!(inbox.end(), Some(End::Stop(Duration::from_secs(5))));
    assert_eq!(inbox.take(2, &text("b")), Taken::Dropped);
    assert_eq!(inbox.handed(), 0);
    assert_eq!(inbox.next(epoch), Next::Frame(1, text("a")));
    assert_eq!(inbox.next(epoch), Next::End);
    inbox.order_start();
    inbox.ended();
    assert_eq!((inbox.order(), inbox.handed()), (Some(Order::Finish), 2));
}

#[test]
fn what_waits_is_bounded_in_frames_and_bytes() {
    let (mut inbox, _) = running();
    let huge = Bytes::from(vec![b'x'; WAITING_BYTES + 1]);
    assert_eq!(inbox.take(1, &huge), Taken::Queued, "one frame always fits");
    assert_eq!(inbox.take(2, &text("a")), Taken::Full);
    let (mut inbox, epoch) = running();
    let frames = WAITING_FRAMES as u64;
    for number in 1..=frames {
        assert_eq!(inbox.take(number, &text("a")), Taken::Queued);
    }
    assert_eq!(inbox.take(frames + 1, &text("a")), Taken::Full);
    inbox.next(epoch);
    assert_eq!(inbox.take(frames + 1, &text("a")), Taken::Queued);
}
