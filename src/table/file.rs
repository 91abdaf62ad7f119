//! Tables as bytes. The format is in `docs/table-format.md`.

use std::fmt;
use std::io::{self, Read, Write};

use thiserror::Error;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::Table;
use crate::display::Visible;
use crate::error::write_causes;
use crate::value::Encode;

/// "shapley table", and bytes that a text transfer would spoil.
const MAGIC: [u8; 8] = *b"SHAPT\r\n\x1a";
const VERSION: u32 = 1;
/// Magic, version, players, width of a value, length of the type's name.
const FIXED: usize = 8 + 4 * 4;
/// The header's length is a multiple of this, so that the values of a mapped file are aligned.
const ALIGNMENT: usize = 64;
/// A longer name than this is damage.
const LONGEST_NAME: usize = 256;
/// Values are read and written in pieces of about this many bytes.
const PIECE: usize = 1 << 16;

/// Why a table could not be read. `{:#}` writes the causes too.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The reader failed.
    #[error(fmt = write_io)]
    Io(#[from] io::Error),

    /// The bytes end before the table does.
    #[error("the table is cut short: {got} of its {expected} bytes are there")]
    Truncated {
        /// How many bytes the table has, as far as is known.
        expected: u64,
        /// How many are there.
        got: u64,
    },

    /// The bytes do not begin as a table does.
    #[error("these bytes are not a table of this crate: they begin with {found:02x?}")]
    Foreign {
        /// How they begin.
        found: [u8; 8],
    },

    /// The table is of a format that this version of the crate does not know.
    #[error("the table has format {found}, and this version reads format {supported}")]
    Version {
        /// The table's format.
        found: u32,
        /// The format this version reads.
        supported: u32,
    },

    /// The table holds values of another type.
    #[error("the table holds values of type {}, and {} was asked for", Visible(found), Visible(expected))]
    Type {
        /// The type in the table.
        found: String,
        /// The type asked for.
        expected: String,
    },

    /// The checksum does not match: the bytes are damaged.
    #[error("damage in the table's {part}: the checksum is {found:016x}, and {expected:016x} is written there")]
    Damaged {
        /// Which part: the header, or the values.
        part: &'static str,
        /// The checksum that is written in the table.
        expected: u64,
        /// The checksum of the bytes.
        found: u64,
    },

    /// The table has no players, or more than fit in memory here.
    #[error("a table of {players} players cannot be read: there must be from 1 to {limit}")]
    Players {
        /// The number of players.
        players: usize,
        /// The largest number of players possible.
        limit: usize,
    },

    /// The bytes are whole, but [`Encode::decode`] does not take some of them for a value.
    #[error("the table's bytes are not values of type {}: was the type's encoding changed?", Visible(type_name))]
    Undecodable {
        /// The type.
        type_name: String,
    },

    /// There are bytes after the table's end.
    #[error("there are bytes after the table's {expected}: this is not the file that was written")]
    Trailing {
        /// How many bytes the table has.
        expected: u64,
    },
}

fn write_io(source: &io::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("the table could not be read")?;
    write_causes(f, source)
}

impl<V: Encode> Table<V> {
    /// Writes the table: a header that says what it is, all values bit for bit, and checksums of both.
    ///
    /// The writer is given pieces of about 64 KiB, and flushed at the end. The format is little-endian on every
    /// machine.
    ///
    /// ```no_run
    /// use std::fs::File;
    /// use shapley::Table;
    ///
    /// let game = shapley::from_fn(20, |s| (s.len() as f64).sqrt()); // a week's work
    /// let mut file = File::create("game.table")?;
    /// let table = Table::tabulate(&game)?;
    /// table.write(&mut file)?;
    /// file.sync_all()?; // returns when the bytes are on the disk
    ///
    /// let table: Table<f64> = Table::read(File::open("game.table")?)?;
    /// let phi = shapley::exact(&table)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the writer, and `InvalidInput` if the type's [`Encode`] does not keep its contract, so that nothing is
    /// written that cannot be read.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        let name = V::type_name();
        let invalid = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        if name.len() > LONGEST_NAME {
            return invalid(format!("a type's name of {} bytes is over the limit of {LONGEST_NAME}", name.len()));
        }
        let (Ok(width), Ok(players)) = (u32::try_from(V::WIDTH), u32::try_from(self.num_players)) else {
            return invalid(format!("values of {} bytes do not fit the format", V::WIDTH));
        };
        let mut bytes = MAGIC.to_vec();
        for number in [VERSION, players, width, name.len() as u32] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(name.as_bytes());
        bytes.resize(header_len(name.len()) - 8, 0);
        bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
        to.write_all(&bytes)?;

        let mut checksum = Xxh3::new();
        for piece in self.values.chunks(values_in_a_piece::<V>()) {
            bytes.clear();
            for value in piece {
                let before = bytes.len();
                value.encode(&mut bytes);
                let written = bytes.len().wrapping_sub(before);
                if written != V::WIDTH {
                    return invalid(format!("{name} encoded a value in {written} bytes, and promised {}", V::WIDTH));
                }
            }
            checksum.update(&bytes);
            to.write_all(&bytes)?;
        }
        to.write_all(&checksum.digest().to_le_bytes())?;
        to.flush()
    }

    /// Reads a table that [`write`](Self::write) wrote, bit for bit.
    ///
    /// # Errors
    ///
    /// A [`TableError`] unless every byte is what was written: a file that is cut short, damaged, of other values or of
    /// another program is never read as a table.
    pub fn read(from: impl Read) -> Result<Self, TableError> {
        let mut from = Counted { from, got: 0 };
        let mut header = vec![0; FIXED];
        let cut_short = from.fill(&mut header, FIXED as u64);
        let found: [u8; 8] = header.first_chunk().copied().unwrap_or_default();
        let there = MAGIC.len().min(from.got as usize);
        if found[..there] != MAGIC[..there] {
            return Err(TableError::Foreign { found });
        }
        cut_short?;
        let [version, players, width, name_len] =
            [8, 12, 16, 20].map(|at| header[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)));
        if version != VERSION {
            return Err(TableError::Version { found: version, supported: VERSION });
        }
        // What the header says is not relied on before its checksum, so a length cannot ask for much.
        let name_len = (name_len as usize).min(LONGEST_NAME);
        header.resize(header_len(name_len) - 8, 0);
        let len = header.len() as u64 + 8;
        from.fill(&mut header[FIXED..], len)?;
        from.check("header", xxh3_64(&header), len)?;

        let name = String::from_utf8_lossy(&header[FIXED..FIXED + name_len]).into_owned();
        if name != V::type_name() {
            return Err(TableError::Type { found: name, expected: V::type_name() });
        }
        if width as usize != V::WIDTH {
            let of = |width: usize| format!("{name} of {width} bytes");
            return Err(TableError::Type { found: of(width as usize), expected: of(V::WIDTH) });
        }
        let players = players as usize;
        let limit = (usize::BITS as usize - 2).saturating_sub(V::WIDTH.ilog2() as usize + 1);
        if !(1..=limit).contains(&players) {
            return Err(TableError::Players { players, limit });
        }
        let expected = len + ((V::WIDTH as u64) << players) + 8;
        let (mut values, mut undecodable) = (Vec::new(), false);
        let mut checksum = Xxh3::new();
        let mut bytes = vec![0; values_in_a_piece::<V>() * V::WIDTH];
        let mut left = 1_usize << players;
        while left > 0 {
            let here = left.min(values_in_a_piece::<V>());
            left -= here;
            let bytes = &mut bytes[..here * V::WIDTH];
            from.fill(bytes, expected)?;
            checksum.update(bytes);
            let decoded = values.len();
            values.extend(bytes.chunks_exact(V::WIDTH).map_while(V::decode));
            undecodable |= values.len() != decoded + here;
        }
        let found = checksum.digest();
        from.check("values", found, expected)?;
        if undecodable {
            return Err(TableError::Undecodable { type_name: V::type_name() });
        }
        match from.fill(&mut [0], expected + 1) {
            Err(TableError::Truncated { .. }) => Ok(Self { values, num_players: players }),
            Ok(()) => Err(TableError::Trailing { expected }),
            Err(error) => Err(error),
        }
    }
}

fn values_in_a_piece<V: Encode>() -> usize {
    const { assert!(V::WIDTH > 0, "a value has at least one byte") };
    (PIECE / V::WIDTH).max(1)
}

fn header_len(name_len: usize) -> usize {
    (FIXED + name_len + 8).next_multiple_of(ALIGNMENT)
}

/// A reader that knows how much it has read.
struct Counted<R> {
    from: R,
    got: u64,
}

impl<R: Read> Counted<R> {
    /// Reads as many bytes as there is room for, of a table of `expected` bytes.
    fn fill(&mut self, room: &mut [u8], expected: u64) -> Result<(), TableError> {
        let mut filled = 0;
        while filled < room.len() {
            match self.from.read(&mut room[filled..]) {
                Ok(0) => return Err(TableError::Truncated { expected, got: self.got }),
                Ok(count) => {
                    filled += count;
                    self.got += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads a checksum, which should be `found`.
    fn check(&mut self, part: &'static str, found: u64, expected_len: u64) -> Result<(), TableError> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes, expected_len)?;
        let expected = u64::from_le_bytes(bytes);
        if expected == found { Ok(()) } else { Err(TableError::Damaged { part, expected, found }) }
    }
}
