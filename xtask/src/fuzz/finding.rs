//! What libFuzzer says about a run, read and shown.

/// One run of one target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    target: String,
    runs: u64,
    per_second: u64,
    coverage: u64,
    result: Found,
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// The file that holds the input, where there is one, and what was said about it.
    Something {
        input: Option<String>,
        words: String,
    },
}

impl Run {
    /// Reads the output of a run.
    pub(super) fn read(target: &str, log: &str, ended_well: bool) -> Self {
        let number = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok()).unwrap_or_default();
        let stat = |name: &str| number(log.lines().rev().find_map(|line| line.strip_prefix(name)));
        let progress = log.lines().rev().find_map(|line| line.split_once(" cov: "));
        let result = if ended_well {
            Found::Nothing
        } else {
            let input = log.lines().rev().find_map(|line| line.split_once("Test unit written to "));
            let input = input.map(|(_, path)| path.trim().to_owned());
            Found::Something { input, words: words(log) }
        };
        Self {
            target: target.to_owned(),
            runs: stat("stat::number_of_executed_units:"),
            per_second: stat("stat::average_exec_per_sec:"),
            coverage: number(progress.and_then(|(_, rest)| rest.split_whitespace().next())),
            result,
        }
    }

    /// Whether it found nothing.
    pub(super) fn is_clean(&self) -> bool {
        self.result == Found::Nothing
    }

    /// What was found, and how to see it again.
    pub(super) fn trouble(&self) -> Option<String> {
        let Found::Something { input, words } = &self.result else { return None };
        let again = match input {
            Some(path) => format!(
                "The input: {path}\nKeep it in fuzz/seeds/{0}, so that the tests run it: `cargo xtask test {0}`",
                self.target
            ),
            None => "There is no input that does it alone.".to_owned(),
        };
        Some(format!("{words}\n{again}"))
    }
}

/// From the panic or libFuzzer's own error to the end of its first paragraph; else the end of the log.
fn words(log: &str) -> String {
    let lines = log.lines().collect::<Vec<_>>();
    let begins = |line: &&str| line.contains(" panicked at ") || line.contains("ERROR: libFuzzer");
    let (start, most) = match lines.iter().position(begins) {
        Some(start) => (start, 12),
        None => (lines.len().saturating_sub(20), 20),
    };
    let told = lines[start..].iter().take(most).take_while(|line| !line.starts_with("stack backtrace"));
    told.copied().collect::<Vec<_>>().join("\n")
}

/// All runs, a line each.
pub(super) fn table(runs: &[Run]) -> String {
    let mut lines =
        vec![format!("{:12} {:>12} {:>10} {:>9}  result", "target", "runs", "runs/s", "coverage")];
    for run in runs {
        let result = match &run.result {
            Found::Nothing => "nothing found",
            Found::Something { input, .. } => input.as_deref().unwrap_or("FAILED"),
        };
        let Run { target, runs, per_second, coverage, .. } = run;
        lines.push(format!("{target:12} {runs:>12} {per_second:>10} {coverage:>9}  {result}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Run, table};

    const CLEAN: &str = "\
#2\tINITED cov: 321 ft: 327 corp: 8/1kb exec/s: 0 rss: 28Mb
#1676446\tDONE   cov: 801 ft: 3000 corp: 900/30Kb lim: 4096 exec/s: 128957 rss: 30Mb
stat::number_of_executed_units: 1676446
stat::average_exec_per_sec:     128957
";

    const CRASHED: &str = "\
#2\tINITED cov: 321 ft: 327 corp: 8/1kb exec/s: 0 rss: 28Mb

thread '<unnamed>' (7) panicked at crates/fuzz-targets/src/frame.rs:20:48:
only JSON is a frame
stack backtrace:
   0: begin
artifact_prefix='fuzz/artifacts/frame/'; Test unit written to fuzz/artifacts/frame/crash-1
stat::number_of_executed_units: 56
stat::average_exec_per_sec:     0
";

    #[test]
    fn a_clean_run_is_one_line_of_figures() {
        let run = Run::read("frame", CLEAN, true);
        assert!(run.is_clean() && run.trouble().is_none());
        let table = table(&[run]);
        let words = table.lines().last().unwrap_or_default().split_whitespace().collect::<Vec<_>>();
        assert_eq!(words, ["frame", "1676446", "128957", "801", "nothing", "found"]);
    }

    #[test]
    fn a_finding_names_its_words_and_the_file_that_holds_the_input() {
        let run = Run::read("frame", CRASHED, false);
        let trouble = run.trouble().unwrap_or_default();
        assert!(
            !run.is_clean() && trouble.contains("only JSON is a frame") && !trouble.contains("0: begin"),
            "{trouble}"
        );
        assert!(trouble.contains("The input: fuzz/artifacts/frame/crash-1"), "{trouble}");
        assert!(table(&[run]).ends_with("fuzz/artifacts/frame/crash-1"));
    }
}
