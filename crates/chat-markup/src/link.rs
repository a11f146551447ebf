//! Decides how an address reaches the reader: as a link, in words, or not at all.

use std::rc::Rc;

use crate::render::escape_attribute;

/// The longest address made a link, in bytes of HTML, so that a link always fits a message with room for its text.
const LONGEST_HREF: usize = 2048;

/// How an address is shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// Telegram takes it as a link; `href` is escaped for the attribute.
    Linked { href: Rc<str>, words: String },
    /// Telegram would drop the link and with it the address, so it is written out beside the text.
    Written { words: String },
    /// It leads nowhere from a chat.
    Omitted,
}

impl Address {
    /// Judges an address as Markdown gives it.
    ///
    /// Telegram silently drops a link that is not `http`, `https` or `tg`, and one whose host is a bare name such as
    /// `localhost`. A mail address it recognises by itself wherever it stands in the text.
    pub(crate) fn of(url: &str) -> Self {
        let url = url.trim();
        if url.is_empty() || url.starts_with('#') {
            return Self::Omitted;
        }
        if let Some(mail) = strip_scheme(url, "mailto:") {
            let address = mail.split('?').next().unwrap_or(mail);
            return Self::Written { words: address.to_owned() };
        }
        if strip_scheme(url, "data:").is_some() {
            let kind = url.split([';', ',']).next().unwrap_or(url);
            return Self::Written { words: format!("{kind}…") };
        }
        let words = url.to_owned();
        if !is_linkable(url) {
            return Self::Written { words };
        }
        let href = escape_attribute(url);
        if href.len() > LONGEST_HREF {
            return Self::Written { words };
        }
        Self::Linked { href: href.into(), words }
    }

    /// The address in words.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Linked { words, .. } | Self::Written { words } => words,
            Self::Omitted => "",
        }
    }
}

fn is_linkable(url: &str) -> bool {
    if url.contains(|ch: char| ch.is_whitespace() || ch.is_control()) {
        return false;
    }
    if let Some(rest) = strip_scheme(url, "tg://") {
        return !rest.is_empty();
    }
    let Some(rest) = strip_scheme(url, "https://").or_else(|| strip_scheme(url, "http://")) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    host.starts_with('[') || host.split(':').next().is_some_and(|name| name.trim_matches('.').contains('.'))
}

fn strip_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let head = url.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn only_what_telegram_keeps_becomes_a_link() {
        let linked = [
            "https://a.b",
            "HTTP://a.b:80/c?d=e#f",
            "tg://user?id=1",
            "http://127.0.0.1:80",
            "http://[::1]/",
        ];
        for url in linked {
            let expected = Address::Linked { href: url.into(), words: url.to_owned() };
            assert_eq!(Address::of(url), expected, "{url}");
        }
        let long = format!("https://a.b/{}", "c".repeat(2048));
        let written = [
            "http://localhost:80/a.b",
            "src/lib.rs",
            "/abs.rs:1",
            "javascript:alert(1)",
            "https://a b.c",
            "tg://",
            &long,
        ];
        for url in written {
            assert_eq!(Address::of(url), Address::Written { words: url.to_owned() }, "{url}");
        }
    }

    #[test]
    fn mail_is_written_bare_data_is_named_and_anchors_are_left_out() {
        assert_eq!(Address::of("mailto:a@b.c?subject=d"), Address::Written { words: "a@b.c".to_owned() });
        assert_eq!(
            Address::of("data:image/png;base64,AAAA"),
            Address::Written { words: "data:image/png…".to_owned() }
        );
        assert_eq!(Address::of("#top"), Address::Omitted);
        assert_eq!(Address::of(""), Address::Omitted);
    }

    #[test]
    fn an_address_is_escaped_for_its_attribute() {
        let expected = Address::Linked {
            href: "https://a.b?c&amp;d=&quot;&lt;".into(),
            words: "https://a.b?c&d=\"<".into(),
        };
        assert_eq!(Address::of("https://a.b?c&d=\"<"), expected);
    }
}
