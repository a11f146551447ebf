//! The names of signals.

use rustix::process::Signal;

const NAMES: [(&str, Signal); 22] = [
    ("SIGHUP", Signal::HUP),
    ("SIGINT", Signal::INT),
    ("SIGQUIT", Signal::QUIT),
    ("SIGILL", Signal::ILL),
    ("SIGTRAP", Signal::TRAP),
    ("SIGABRT", Signal::ABORT),
    ("SIGBUS", Signal::BUS),
    ("SIGFPE", Signal::FPE),
    ("SIGKILL", Signal::KILL),
    ("SIGUSR1", Signal::USR1),
    ("SIGSEGV", Signal::SEGV),
    ("SIGUSR2", Signal::USR2),
    ("SIGPIPE", Signal::PIPE),
    ("SIGALRM", Signal::ALARM),
    ("SIGTERM", Signal::TERM),
    ("SIGCHLD", Signal::CHILD),
    ("SIGCONT", Signal::CONT),
    ("SIGSTOP", Signal::STOP),
    ("SIGTSTP", Signal::TSTP),
    ("SIGWINCH", Signal::WINCH),
    ("SIGXCPU", Signal::XCPU),
    ("SIGXFSZ", Signal::XFSZ),
];

/// What a signal of that number is called: `SIGTERM`; one without a name is `SIG` and its number.
pub(crate) fn name(number: i32) -> String {
    let known = NAMES.iter().find(|(_, signal)| signal.as_raw() == number);
    known.map_or_else(|| format!("SIG{number}"), |(name, _)| (*name).to_owned())
}

/// The signal of that name, in capitals or not, with `SIG` before it or not, and its full name.
pub(crate) fn named(text: &str) -> Option<(&'static str, Signal)> {
    let text = text.trim().to_ascii_uppercase();
    let short = text.strip_prefix("SIG").unwrap_or(&text);
    NAMES.iter().find(|(name, _)| &name[3..] == short).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_one_name_however_it_is_written() {
        for text in ["SIGINT", "INT", "int", " sigint "] {
            assert_eq!(named(text), Some(("SIGINT", Signal::INT)), "{text}");
        }
        for text in ["", "SIG", "SIGNOPE", "9"] {
            assert_eq!(named(text), None, "{text}");
        }
        assert_eq!(name(Signal::KILL.as_raw()), "SIGKILL");
        assert_eq!(name(63), "SIG63");
    }
}
