//! Named places where a test can hold a program still, or end it as suddenly as a kill does.
//!
//! Two variables steer a debug build: `ARGUS_CRASH_AT=<name>` aborts the process there; `ARGUS_CRASH_HOLD=<name>`
//! together with `ARGUS_CRASH_DIR=<folder>` writes `<folder>/<name>.held` and waits there until `<folder>/<name>.go`
//! exists, so that a test can kill *another* process at exactly this step. Only one visit counts: the first, or the
//! n-th where the name is followed by `:n`. A release build has none of this: the calls compile to nothing.

#[cfg(debug_assertions)]
mod armed {
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    pub(super) struct Armed {
        abort_at: Option<Visit>,
        hold: Option<(Visit, PathBuf)>,
    }

    /// One visit of one place.
    struct Visit {
        name: String,
        left: AtomicU32,
    }

    impl Visit {
        fn parse(text: &str) -> Self {
            let (name, number) = text.split_once(':').unwrap_or((text, "1"));
            Self { name: name.to_owned(), left: AtomicU32::new(number.parse().unwrap_or(1)) }
        }

        fn is_now(&self, name: &str) -> bool {
            self.name == name && self.left.fetch_sub(1, Ordering::SeqCst) == 1
        }
    }

    impl Armed {
        pub(super) fn new(abort_at: Option<String>, hold: Option<String>, dir: Option<PathBuf>) -> Self {
            let visit = |text: String| Visit::parse(&text);
            Self { abort_at: abort_at.map(visit), hold: hold.map(visit).zip(dir) }
        }

        pub(super) fn from_environment() -> &'static Self {
            static ARMED: OnceLock<Armed> = OnceLock::new();
            ARMED.get_or_init(|| {
                let text = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
                Self::new(
                    text("ARGUS_CRASH_AT"),
                    text("ARGUS_CRASH_HOLD"),
                    text("ARGUS_CRASH_DIR").map(PathBuf::from),
                )
            })
        }

        pub(super) async fn visit(&self, name: &str) {
            if self.abort_at.as_ref().is_some_and(|visit| visit.is_now(name)) {
                std::process::abort();
            }
            let Some((hold, dir)) = &self.hold else { return };
            if !hold.is_now(name) {
                return;
            }
            if std::fs::write(dir.join(format!("{name}.held")), b"").is_err() {
                return;
            }
            while !dir.join(format!("{name}.go")).exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// Marks a step of the program by name, e.g. `outbox.sent`.
#[cfg_attr(
    not(debug_assertions),
    expect(clippy::unused_async, reason = "it waits only where a test can hold it")
)]
pub async fn here(name: &str) {
    #[cfg(debug_assertions)]
    armed::Armed::from_environment().visit(name).await;
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::armed::Armed;

    #[tokio::test]
    async fn a_held_point_waits_for_its_go_file_at_one_visit() {
        let dir = tempfile::tempdir().unwrap();
        let point = Armed::new(None, Some("a.b:2".into()), Some(dir.path().to_owned()));
        point.visit("other").await;
        point.visit("a.b").await;
        let release = async {
            while !dir.path().join("a.b.held").exists() {
                tokio::task::yield_now().await;
            }
            std::fs::write(dir.path().join("a.b.go"), b"").unwrap();
        };
        tokio::join!(point.visit("a.b"), release);
        std::fs::remove_file(dir.path().join("a.b.go")).unwrap();
        point.visit("a.b").await;
    }
}
