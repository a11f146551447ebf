//! What could not be had, told once when it happens and counted at the end.

/// The parts left out so far, each with its reason.
#[derive(Debug, Default)]
pub(crate) struct Skips {
    told: Vec<String>,
    intolerable: bool,
}

impl Skips {
    /// Notes that `part` is left out, and says so in one line.
    pub(crate) fn add(&mut self, part: &str, reason: &str) {
        self.intolerable |= must_be_complete();
        self.tolerate(part, reason);
    }

    /// The same for what this run must have.
    pub(crate) fn require(&mut self, part: &str, reason: &str) {
        self.intolerable = true;
        self.tolerate(part, reason);
    }

    /// The same for what no package can bring, and what may therefore be missing in every run.
    pub(crate) fn tolerate(&mut self, part: &str, reason: &str) {
        let line = format!("{part}: {reason}");
        println!("skipped: {line}");
        self.told.push(line);
    }

    /// Whether something is missing that this run must have.
    pub(crate) fn are_intolerable(&self) -> bool {
        self.intolerable
    }

    /// How many parts were left out.
    pub(crate) fn count(&self) -> usize {
        self.told.len()
    }

    /// The closing line, `None` when nothing was left out: `skipped: 1 (docker: no engine answers)`.
    pub(crate) fn summary(&self) -> Option<String> {
        (!self.told.is_empty()).then(|| format!("skipped: {} ({})", self.told.len(), self.told.join("; ")))
    }
}

/// Whether this is a run that must not leave anything out (`CI=true`).
fn must_be_complete() -> bool {
    std::env::var("CI").is_ok_and(|ci| matches!(ci.trim(), "true" | "1"))
}

#[cfg(test)]
mod tests {
    use super::Skips;

    #[test]
    fn skips_are_counted_with_their_reasons() {
        let mut skips = Skips::default();
        assert_eq!(skips.summary(), None);
        skips.tolerate("docker", "no engine answers");
        skips.add("codex", "npm is missing");
        assert_eq!(
            skips.summary().as_deref(),
            Some("skipped: 2 (docker: no engine answers; codex: npm is missing)")
        );
    }
}
