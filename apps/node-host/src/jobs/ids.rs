//! Ids of jobs: random UUIDs.

/// A new one.
pub(crate) fn new() -> std::io::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(parts.join("-"))
}

/// Whether a text has the form of one. Nothing else ever becomes part of a path.
pub(crate) fn is_one(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if dashes.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_id_is_a_random_uuid() {
        let (one, other) = (super::new().unwrap(), super::new().unwrap());
        assert!(super::is_one(&one) && super::is_one(&other) && one != other);
        assert_eq!(&one[14..15], "4");
        for text in ["", "../../../../../../../../etc/passwd-x", "x", "00000000-0000-4000-8000-00000000000g"]
        {
            assert!(!super::is_one(text), "{text}");
        }
    }
}
