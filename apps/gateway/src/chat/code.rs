//! Pairing codes: made, read as people type them, compared.

use data_encoding::BASE32_NOPAD;
use subtle::ConstantTimeEq;

/// Characters of a code.
const LENGTH: usize = 8;

/// A code as people may type it: capitals, spaces and hyphens do not matter.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Typed(String);

impl Typed {
    /// Reads what may be a code; `None` when it cannot be one.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let bare: String =
            text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '_')).collect();
        let bare = bare.to_ascii_uppercase();
        let fits = bare.len() == LENGTH
            && bare.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b));
        fits.then_some(Self(bare))
    }

    /// Whether it is that code, in time that does not tell how much of it is right.
    pub(super) fn is(&self, code: &str) -> bool {
        self.0.as_bytes().ct_eq(code.as_bytes()).into()
    }
}

/// A new code from the system's random source: 40 bits.
pub(super) fn fresh() -> String {
    let mut bytes = [0; 5];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    BASE32_NOPAD.encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for typed in ["ABCD2345", "abcd2345", " abcd-2345 ", "AB CD 23 45", "abcd – 2345"] {
            assert!(Typed::read(typed).is_some_and(|t| t.is("ABCD2345") && !t.is("ABCD2346")), "{typed}");
        }
        for other in ["", "ABCD234", "ABCD23456", "ABCD2341", "hello, you", "ÄBCD2345"] {
            assert!(Typed::read(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_fresh_code_reads_as_itself() {
        let (one, two) = (fresh(), fresh());
        assert!(Typed::read(&one).is_some_and(|t| t.is(&one)));
        assert_ne!(one, two);
    }
}
