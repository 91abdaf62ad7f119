//! What holds of the records of a store for any bytes. The fuzz target and `tests/disk/records.rs` include this file.

use super::format::{BadHeader, CHECKSUM, Header, LONGEST_FINGERPRINT, LONGEST_NAME, is_key, seal, unseal};

/// Panics if `bytes` show that something does not hold.
pub(crate) fn hold(bytes: &[u8]) {
    // As they are.
    header(bytes);
    // As a seed, lengths, a key, and an entry of what is left.
    let Some((seed, rest)) = bytes.split_first_chunk() else { return };
    let Some(([key_len, width], rest)) = rest.split_first_chunk() else { return };
    let seed = u64::from_le_bytes(*seed);
    let (key, rest) = rest.split_at((*key_len as usize).min(rest.len()));
    entry(seed, key, *width as usize, rest);
    made(seed, key, rest);
}

/// What decodes is encoded to the same bytes; the entries of another header are not this one's.
fn header(bytes: &[u8]) {
    match Header::decode(bytes) {
        Ok(header) => {
            assert!(header.type_name.len() <= LONGEST_NAME && header.fingerprint.len() <= LONGEST_FINGERPRINT);
            assert_eq!(header.encode(), bytes);
        }
        Err(BadHeader::Version(version)) => assert_eq!(bytes[..4], version.to_le_bytes()),
        Err(BadHeader::Damaged(_)) => {}
    }
}

/// An entry that is taken is the one that is made of its value.
fn entry(seed: u64, key: &[u8], width: usize, entry: &[u8]) {
    if let Some(value) = unseal(seed, key, width, entry) {
        assert_eq!(value.len(), width);
        let mut again = value.to_vec();
        seal(seed, key, &mut again);
        assert_eq!(again, entry);
    }
    for players in [key.len() as u64 * 8, (key.len() as u64 * 8).saturating_sub(3)] {
        let fits = key.last().is_none_or(|last| players % 8 == 0 || *last < 1 << (players % 8));
        assert_eq!(is_key(players, key), fits);
    }
}

/// What is made is taken back, and by nothing but its own seed, key, width and bytes.
fn made(seed: u64, key: &[u8], value: &[u8]) {
    let mut entry = value.to_vec();
    seal(seed, key, &mut entry);
    assert_eq!(entry.len(), value.len() + CHECKSUM);
    assert_eq!(unseal(seed, key, value.len(), &entry), Some(value));

    assert_eq!(unseal(seed ^ 1, key, value.len(), &entry), None);
    assert_eq!(unseal(seed, key, value.len() + 1, &entry), None);
    assert_eq!(unseal(seed, key, value.len(), &entry[1..]), None);
    let mut longer = key.to_vec();
    longer.push(0);
    assert_eq!(unseal(seed, &longer, value.len(), &entry), None);
    let bit = seed as usize;
    if !key.is_empty() {
        let mut other = key.to_vec();
        other[bit % key.len()] ^= 1 << (bit % 8);
        assert_eq!(unseal(seed, &other, value.len(), &entry), None);
    }
    let len = entry.len();
    entry[bit % len] ^= 1 << (bit % 8);
    assert_eq!(unseal(seed, key, value.len(), &entry), None);

    // The same bytes as text are a header's.
    let text = String::from_utf8_lossy(value);
    let middle = (0..=LONGEST_NAME.min(text.len() / 2)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let (name, fingerprint) = text.split_at(middle);
    if fingerprint.len() <= LONGEST_FINGERPRINT {
        let header = Header {
            width: (seed as u32).max(1),
            players: (!seed.is_multiple_of(3)).then_some(seed >> 1),
            type_name: name.to_owned(),
            fingerprint: fingerprint.to_owned(),
        };
        let mut bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Ok(header.clone()));
        let another = Header { players: Some(header.players.map_or(0, |players| players + 1)), ..header.clone() };
        assert_ne!(another.seed(), header.seed());
        let len = bytes.len();
        bytes[bit % len] ^= 1 << (bit % 8);
        assert_eq!(Header::decode(&bytes), Err(BadHeader::Damaged("its checksum does not match")));
    }
}
