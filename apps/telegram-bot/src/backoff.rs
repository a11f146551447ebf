//! How long to wait before trying again: longer each time, never exactly the same.

use std::time::Duration;

use crate::config::Pace;

/// Waits that double from a first one up to a most.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(pace: &Pace) -> Self {
        Self { first: pace.retry_first, most: pace.retry_most, next: pace.retry_first }
    }

    /// The next wait: between half and the whole of the step, so that several programs do not come back as one.
    pub(crate) fn next(&mut self) -> Duration {
        let step = self.next.min(self.most);
        self.next = (step * 2).min(self.most);
        let chance = f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        step.mul_f64(0.5 + chance / 2.0)
    }

    /// It worked: the next failure starts from the first wait again.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_start_anew_after_success() {
        let mut backoff = Backoff::new(&Pace::default());
        for step in [200, 400, 800, 1600, 3200, 5000, 5000] {
            let wait = backoff.next();
            let step = Duration::from_millis(step);
            assert!((step / 2..=step).contains(&wait), "{wait:?} is not within half of {step:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(200));
    }
}
