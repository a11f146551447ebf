//! Keeps what one caller says in the order in which it was said, while everything else of its calls runs side by side.

use tokio::sync::oneshot;

/// A line of calls.
#[derive(Debug, Default)]
pub struct Line {
    last: Option<Ahead>,
}

/// One call's place in its line. The next one's turn comes when this and everybody ahead of it were dropped.
#[derive(Debug, Default)]
pub struct Place {
    ahead: Option<Ahead>,
    behind: Option<oneshot::Sender<Left>>,
}

/// Tells when the one ahead has left.
type Ahead = oneshot::Receiver<Left>;

/// Somebody left the line; whoever it had not yet waited for.
#[derive(Debug)]
struct Left {
    ahead: Option<Ahead>,
}

impl Line {
    /// The next place.
    pub fn join(&mut self) -> Place {
        let (behind, last) = oneshot::channel();
        Place { ahead: self.last.replace(last), behind: Some(behind) }
    }
}

impl Place {
    /// A place in no line: nobody is waited for.
    pub fn alone() -> Self {
        Self::default()
    }

    /// Waits until everybody ahead has left.
    pub async fn reached(&mut self) {
        while let Some(ahead) = &mut self.ahead {
            self.ahead = ahead.await.ok().and_then(|left| left.ahead);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(behind) = self.behind.take() {
            _ = behind.send(Left { ahead: self.ahead.take() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_place_is_reached_when_everybody_ahead_has_left() {
        let mut line = Line::default();
        let (mut first, second, mut third) = (line.join(), line.join(), line.join());
        assert!(first.reached().now_or_never().is_some());
        assert!(third.reached().now_or_never().is_none());
        // Who leaves before it was reached lets nobody pass who is ahead of it.
        drop(second);
        assert!(third.reached().now_or_never().is_none());
        drop(first);
        assert!(third.reached().now_or_never().is_some());
        let mut fourth = line.join();
        drop(line);
        assert!(fourth.reached().now_or_never().is_none());
        drop(third);
        assert!(fourth.reached().now_or_never().is_some());
        assert!(Place::alone().reached().now_or_never().is_some());
    }
}
