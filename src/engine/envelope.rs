//! An envelope for a message in a file: what kind of file it is, how long the message is, and its checksum.
//!
//! A magic text of 24 bytes that ends with the version, the message's length and its XXH3-64 checksum as 8 bytes each,
//! little-endian, and the message, with which the file ends.

use std::io::{self, Write};

use xxhash_rust::xxh3::xxh3_64;

const MAGIC: usize = 24;
const HEADER: usize = MAGIC + 16;

/// Why bytes are not such a file.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Damage {
    #[error("it does not begin as {what} does")]
    Foreign { what: &'static str },
    #[error("it is cut short: {got} of {expected} bytes")]
    Short { got: u64, expected: u64 },
    #[error("its checksum is {found:016x}, and that of what is in it {expected:016x}: it is damaged")]
    Checksum { found: u64, expected: u64 },
}

/// Writes the file that holds `message`.
pub(crate) fn write(magic: &[u8; MAGIC], message: &[u8], mut to: impl Write) -> io::Result<()> {
    to.write_all(magic)?;
    to.write_all(&(message.len() as u64).to_le_bytes())?;
    to.write_all(&xxh3_64(message).to_le_bytes())?;
    to.write_all(message)
}

/// The message in a file that `write` made. The error calls such a file `what`.
pub(crate) fn open<'a>(magic: &[u8; MAGIC], what: &'static str, file: &'a [u8]) -> Result<&'a [u8], Damage> {
    let got = file.len() as u64;
    let begins = file.len().min(MAGIC);
    if file[..begins] != magic[..begins] {
        return Err(Damage::Foreign { what });
    }
    let Some((header, message)) = file.split_at_checked(HEADER) else {
        return Err(Damage::Short { got, expected: HEADER as u64 });
    };
    let number = |at: usize| header[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let expected = number(MAGIC).saturating_add(HEADER as u64);
    if got < expected {
        return Err(Damage::Short { got, expected });
    }
    match (number(MAGIC + 8), xxh3_64(message)) {
        (found, expected) if found == expected => Ok(message),
        (found, expected) => Err(Damage::Checksum { found, expected }),
    }
}
