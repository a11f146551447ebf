//! Adds up what test runners print about themselves.

/// How many tests passed, failed and were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// Reads a closing line: nextest's `Summary […] 3 tests run: 2 passed, 1 failed, 0 skipped` or libtest's
    /// `test result: ok. 2 passed; 0 failed; 1 ignored; …`. `None` for any other line.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let line = plain(line);
        let line = line.trim();
        let counts = if let Some(rest) = line.strip_prefix("test result: ") {
            rest.split_once(". ")?.1
        } else if line.starts_with("Summary [") {
            line.split_once("run: ")?.1
        } else {
            return None;
        };
        let mut tally = Self::default();
        for count in without_remarks(counts).split([',', ';']) {
            let mut words = count.split_whitespace();
            let number = words.next()?.parse::<u64>();
            match (number, words.next().unwrap_or_default()) {
                (Ok(n), "passed") => tally.passed += n,
                (Ok(n), "skipped" | "ignored") => tally.skipped += n,
                (Ok(n), "failed" | "timed" | "exec") => tally.failed += n,
                _ => {}
            }
        }
        Some(tally)
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
    }
}

/// Leaves out `(1 slow, 2 leaky)`.
fn without_remarks(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::new();
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept
}

/// Leaves out terminal colours (`ESC [ … m`).
fn plain(line: &str) -> String {
    let mut kept = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            kept.push(letter);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn a_nextest_summary_is_read_with_colours_and_remarks() {
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.012s] \u{1b}[1m9\u{1b}[0m tests run: \
                    \u{1b}[1m5\u{1b}[0m passed (1 slow, 2 leaky), 1 failed, 2 timed out, 1 exec failed, 4 skipped";
        assert_eq!(Tally::read(line), Some(Tally { passed: 5, failed: 4, skipped: 4 }));
        let cut = "     Summary [   1.0s] 3/9 tests run: 2 passed, 1 failed, 0 skipped";
        assert_eq!(Tally::read(cut), Some(Tally { passed: 2, failed: 1, skipped: 0 }));
    }

    #[test]
    fn a_libtest_result_is_read() {
        let line = "test result: FAILED. 7 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.1s";
        assert_eq!(Tally::read(line), Some(Tally { passed: 7, failed: 1, skipped: 2 }));
    }

    #[test]
    fn any_other_line_is_no_tally() {
        for line in ["", "test a ... ok", "Summary of it", "running 3 tests"] {
            assert_eq!(Tally::read(line), None, "{line}");
        }
    }
}
