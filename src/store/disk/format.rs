//! The records of a store, as bytes: `docs/store-format.md`. Pure functions, which never panic, whatever the bytes.
//!
//! Depends on nothing else of this crate, so that tests and the fuzz target include this file as it is.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The format that this version of the crate writes.
pub(crate) const VERSION: u32 = 1;
/// The longest name of a value type, in bytes.
pub(crate) const LONGEST_NAME: usize = 256;
/// The longest fingerprint, in bytes.
pub(crate) const LONGEST_FINGERPRINT: usize = 4096;
/// The bytes of a checksum, which end a header and an entry.
pub(crate) const CHECKSUM: usize = 8;
/// Version, width, players, and the lengths of name and fingerprint.
const FIXED: usize = 4 + 4 + 8 + 4 + 4;
/// In the place of a number of players: no value was put in yet, so the number is not known.
const NO_PLAYERS: u64 = u64::MAX;

/// What a store is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The bytes of a value, without its checksum.
    pub(crate) width: u32,
    /// The number of players; `None` before the first value.
    pub(crate) players: Option<u64>,
    pub(crate) type_name: String,
    pub(crate) fingerprint: String,
}

/// Why bytes are not a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    Damaged(&'static str),
    Version(u32),
}

impl Header {
    /// The header's bytes. Name and fingerprint must be within their limits.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED + self.type_name.len() + self.fingerprint.len() + CHECKSUM);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.width.to_le_bytes());
        bytes.extend_from_slice(&self.players.unwrap_or(NO_PLAYERS).to_le_bytes());
        bytes.extend_from_slice(&(self.type_name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(self.fingerprint.len() as u32).to_le_bytes());
        bytes.extend_from_slice(self.type_name.as_bytes());
        bytes.extend_from_slice(self.fingerprint.as_bytes());
        let checksum = xxh3_64(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header of bytes that `encode` made.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        // The headers of all versions begin with the version and end with this checksum, so damage is told from age.
        let (body, checksum) = bytes.split_last_chunk().ok_or(BadHeader::Damaged("it is cut short"))?;
        if xxh3_64(body) != u64::from_le_bytes(*checksum) {
            return Err(BadHeader::Damaged("its checksum does not match"));
        }
        let nonsense = BadHeader::Damaged("its checksum matches, and its lengths make no sense");
        let (version, rest) = number(body).ok_or(nonsense.clone())?;
        if version != VERSION {
            return Err(BadHeader::Version(version));
        }
        let decoded = || -> Option<Self> {
            let (width, rest) = number(rest)?;
            let (players, rest) = rest.split_first_chunk()?;
            let players = u64::from_le_bytes(*players);
            let (name_len, rest) = number(rest)?;
            let (fingerprint_len, rest) = number(rest)?;
            let (name_len, fingerprint_len) = (name_len as usize, fingerprint_len as usize);
            if width == 0 || name_len > LONGEST_NAME || fingerprint_len > LONGEST_FINGERPRINT {
                return None;
            }
            let (name, fingerprint) = rest.split_at_checked(name_len)?;
            if fingerprint.len() != fingerprint_len {
                return None;
            }
            Some(Self {
                width,
                players: (players != NO_PLAYERS).then_some(players),
                type_name: str::from_utf8(name).ok()?.to_owned(),
                fingerprint: str::from_utf8(fingerprint).ok()?.to_owned(),
            })
        };
        decoded().ok_or(nonsense)
    }

    /// What the checksums of entries begin from: the checksum that ends the header. An entry of a store for another
    /// game, type or number of players so has a wrong checksum here.
    pub(crate) fn seed(&self) -> u64 {
        let bytes = self.encode();
        bytes.last_chunk().copied().map_or(0, u64::from_le_bytes)
    }

    /// Whether this is an entry of the store, `seed` being that of this header.
    pub(crate) fn is_entry(&self, seed: u64, key: &[u8], entry: &[u8]) -> bool {
        self.players.is_some_and(|players| is_key(players, key))
            && unseal(seed, key, self.width as usize, entry).is_some()
    }
}

/// Makes the bytes of a value an entry, by appending the checksum of the store's seed, the key and the value.
pub(crate) fn seal(seed: u64, key: &[u8], value: &mut Vec<u8>) {
    let checksum = checksum(seed, key, value);
    value.extend_from_slice(&checksum.to_le_bytes());
}

/// The bytes of a value of `width` bytes, if `entry` is what `seal` made for this seed and key.
pub(crate) fn unseal<'a>(seed: u64, key: &[u8], width: usize, entry: &'a [u8]) -> Option<&'a [u8]> {
    let (value, found) = entry.split_last_chunk()?;
    (value.len() == width && checksum(seed, key, value) == u64::from_le_bytes(*found)).then_some(value)
}

/// Whether a coalition of so many players has this key: the right length, and no bits of players that do not exist.
pub(crate) fn is_key(players: u64, key: &[u8]) -> bool {
    let beyond = players % 8;
    key.len() as u64 == players.div_ceil(8) && (beyond == 0 || key.last().is_none_or(|last| last >> beyond == 0))
}

fn checksum(seed: u64, key: &[u8], value: &[u8]) -> u64 {
    // Key and value have lengths that the header settles, so that no two pairs are the same bytes.
    let mut bytes = Vec::with_capacity(key.len() + value.len());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(value);
    xxh3_64_with_seed(&bytes, seed)
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}
