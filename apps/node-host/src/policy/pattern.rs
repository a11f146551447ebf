//! Patterns on a program's arguments: globs, one for each argument, or regular expressions.

use regex::{Regex, RegexBuilder};

/// The largest program a regular expression may become, in bytes.
const LARGEST_REGEX: usize = 256 << 10;

/// What the arguments after the program's name must look like.
#[derive(Clone, Debug)]
pub struct Arguments {
    each: Vec<Pattern>,
    /// Whether more may follow.
    open: Open,
}

/// Whether arguments may follow those that a pattern speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// None.
    Closed,
    /// Any number of any kind.
    More,
}

/// Any number of further arguments, as the last entry of a list.
pub const MORE: &str = "...";

#[derive(Clone, Debug)]
enum Pattern {
    Glob(Glob),
    Regex(Regex),
}

impl Arguments {
    /// Globs, one for each argument; [`MORE`] may be the last.
    pub fn globs(list: &[String]) -> Result<Self, Vec<String>> {
        Self::of(list, |text| Ok(Pattern::Glob(Glob::new(text))))
    }

    /// Regular expressions, each for a whole argument; [`MORE`] may be the last.
    pub fn regexes(list: &[String]) -> Result<Self, Vec<String>> {
        Self::of(list, |text| anchored(text).map(Pattern::Regex))
    }

    fn of(list: &[String], read: impl Fn(&str) -> Result<Pattern, String>) -> Result<Self, Vec<String>> {
        let (list, open) = match list.split_last() {
            Some((end, before)) if end == MORE => (before, Open::More),
            _ => (list, Open::Closed),
        };
        let (mut each, mut mistakes) = (Vec::new(), Vec::new());
        for (number, text) in list.iter().enumerate() {
            let number = number + 1;
            if text == MORE {
                mistakes.push(format!("entry {number}: `{MORE}` may only be the last"));
                continue;
            }
            match read(text) {
                Ok(pattern) => each.push(pattern),
                Err(why) => mistakes.push(format!("entry {number}: {why}")),
            }
        }
        if mistakes.is_empty() { Ok(Self { each, open }) } else { Err(mistakes) }
    }

    /// Whether these arguments, without the program's name, are meant.
    pub fn fit(&self, arguments: &[String]) -> bool {
        let long_enough = match self.open {
            Open::Closed => arguments.len() == self.each.len(),
            Open::More => arguments.len() >= self.each.len(),
        };
        long_enough && self.each.iter().zip(arguments).all(|(pattern, argument)| pattern.fits(argument))
    }
}

impl Pattern {
    fn fits(&self, argument: &str) -> bool {
        match self {
            Self::Glob(glob) => glob.fits(argument),
            Self::Regex(regex) => regex.is_match(argument),
        }
    }
}

fn anchored(text: &str) -> Result<Regex, String> {
    // The text by itself first: `a)|(b` must not get out of the group that is put around it.
    let build = |text: &str| RegexBuilder::new(text).size_limit(LARGEST_REGEX).build();
    build(text)
        .and_then(|_| build(&format!(r"\A(?:{text})\z")))
        .map_err(|error| format!("`{text}` is no regular expression: {error}"))
}

/// A text with wildcards: `?` is one character and `*` are any, both without `/`; `**` are any at all. `\` before one
/// of them takes it as it is.
///
/// A wildcard is careful: at the beginning it takes no option (`-…`), and nowhere a part of a path that is `..`.
#[derive(Clone, Debug)]
pub struct Glob {
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Is(char),
    One,
    Any,
    AnyDeep,
}

impl Glob {
    /// Reads it; every text is one.
    pub fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            pieces.push(match char {
                '\\' => Piece::Is(chars.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or('\\')),
                '?' => Piece::One,
                '*' if chars.next_if_eq(&'*').is_some() => Piece::AnyDeep,
                '*' => Piece::Any,
                char => Piece::Is(char),
            });
        }
        Self { pieces }
    }

    /// Whether it has no wildcard, and is one text only.
    pub fn is_plain(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Is(_)))
    }

    /// Whether the whole text is meant.
    pub fn fits(&self, text: &str) -> bool {
        if !self.is_plain() && climbs(text) && !self.climbs() {
            return false;
        }
        if text.starts_with('-') && self.pieces.first().is_some_and(|first| !matches!(first, Piece::Is(_))) {
            return false;
        }
        let text: Vec<char> = text.chars().collect();
        // Which beginnings of the pattern can take what was read so far: time is pattern times text, whatever they are.
        let mut here = vec![false; self.pieces.len() + 1];
        here[0] = true;
        self.pass_empty(&mut here);
        for char in text {
            let mut next = vec![false; here.len()];
            for (at, piece) in self.pieces.iter().enumerate().filter(|(at, _)| here[*at]) {
                match piece {
                    Piece::Is(own) => next[at + 1] |= *own == char,
                    Piece::One => next[at + 1] |= char != '/',
                    Piece::Any => next[at] |= char != '/',
                    Piece::AnyDeep => next[at] = true,
                }
            }
            self.pass_empty(&mut next);
            here = next;
        }
        here[self.pieces.len()]
    }

    /// A wildcard of any length may be of none.
    fn pass_empty(&self, here: &mut [bool]) {
        for (at, piece) in self.pieces.iter().enumerate() {
            if here[at] && matches!(piece, Piece::Any | Piece::AnyDeep) {
                here[at + 1] = true;
            }
        }
    }

    fn climbs(&self) -> bool {
        let mut text = String::new();
        text.extend(self.pieces.iter().map(|piece| match piece {
            Piece::Is(char) => *char,
            Piece::One | Piece::Any | Piece::AnyDeep => '*',
        }));
        climbs(&text)
    }
}

/// Whether a part of it is `..`, parted as paths and lists of paths are.
fn climbs(text: &str) -> bool {
    text.split(['/', '=', ':', ',']).any(|part| part == "..")
}
