//! Tables as bytes: what is written comes back bit for bit, and whatever else is there is an error.

use std::io::{self, Read, Write};

use shapley::store::{Encode, TableError};
use shapley::{Game, Table};

/// A table that format version 1 wrote, kept for ever: version 1 must always be read.
const KEPT: &[u8] = include_bytes!("../data/table-v1.table");

/// Values whose bits are easily lost: signed zeros, subnormals, NaN with a payload.
fn awkward(n: usize) -> Vec<f64> {
    let odd = [0.0, -0.0, f64::MIN_POSITIVE / 3.0, f64::NEG_INFINITY, f64::from_bits(0x7ff8_dead_beef_0001), -1.5e300];
    (0..1 << n).map(|mask| if mask < odd.len() { odd[mask] } else { (mask as f64).sin() }).collect()
}

fn written<V: Encode>(values: Vec<V>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Table::new(values).unwrap().write(&mut bytes).unwrap();
    bytes
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn every_bit_comes_back() {
    for n in [1, 3, 10, 14] {
        let values = awkward(n);
        let bytes = written(values.clone());
        assert_eq!(bytes.len(), 64 + (8 << n) + 8);
        let table: Table<f64> = Table::read(bytes.as_slice()).unwrap();
        assert_eq!(table.num_players(), n);
        assert_eq!(bits(table.values()), bits(&values));
    }
    let triples: Vec<[f32; 3]> = (0..8).map(|mask| [mask as f32, -0.0, 1.0 / mask as f32]).collect();
    let table: Table<[f32; 3]> = Table::read(written(triples.clone()).as_slice()).unwrap();
    let bits = |values: &[[f32; 3]]| values.iter().map(|value| value.map(f32::to_bits)).collect::<Vec<_>>();
    assert_eq!(bits(table.values()), bits(&triples));
}

#[test]
fn the_kept_file_is_read_and_written_alike() {
    let table: Table<f64> = Table::read(KEPT).unwrap();
    assert_eq!(bits(table.values()), bits(&awkward(3)));
    let mut bytes = Vec::new();
    table.write(&mut bytes).unwrap();
    assert_eq!(bytes, KEPT);
}

#[test]
fn a_flipped_bit_anywhere_is_an_error() {
    for place in 0..KEPT.len() {
        for bit in 0..8 {
            let mut bytes = KEPT.to_vec();
            bytes[place] ^= 1 << bit;
            let error = Table::<f64>::read(bytes.as_slice()).expect_err("damage goes unseen");
            match place {
                0..8 => assert!(matches!(error, TableError::Foreign { .. }), "{place}: {error}"),
                8..12 => assert!(matches!(error, TableError::Version { .. }), "{place}: {error}"),
                // A wrong length of the name can move the checksum and the end.
                12..24 => assert!(
                    matches!(error, TableError::Damaged { part: "header", .. } | TableError::Truncated { .. }),
                    "{place}: {error}"
                ),
                24..64 => assert!(matches!(error, TableError::Damaged { part: "header", .. }), "{place}: {error}"),
                _ => assert!(matches!(error, TableError::Damaged { part: "values", .. }), "{place}: {error}"),
            }
        }
    }
}

#[test]
fn a_cut_anywhere_is_an_error() {
    for len in 0..KEPT.len() {
        match Table::<f64>::read(&KEPT[..len]) {
            Err(TableError::Truncated { expected, got }) => {
                assert_eq!(got, len as u64);
                assert!(expected > got && expected <= KEPT.len() as u64);
            }
            other => panic!("cut at {len}: {other:?}"),
        }
    }
}

#[test]
fn bytes_after_the_end_are_an_error() {
    let longer = [KEPT, &[0]].concat();
    let result = Table::<f64>::read(longer.as_slice());
    assert!(matches!(result, Err(TableError::Trailing { expected }) if expected == KEPT.len() as u64));
}

#[test]
fn another_type_is_an_error_that_names_both() {
    let error = Table::<f32>::read(KEPT).unwrap_err();
    assert_eq!(error.to_string(), "the table holds values of type f64, and f32 was asked for");
    let error = Table::<[f64; 1]>::read(KEPT).unwrap_err();
    assert_eq!(error.to_string(), "the table holds values of type f64, and [f64; 1] was asked for");
}

#[test]
fn another_program_is_an_error() {
    let error = Table::<f64>::read(&b"PNG and then some, long enough for a header"[..]).unwrap_err();
    assert!(matches!(error, TableError::Foreign { found } if &found == b"PNG and "));
    let error = Table::<f64>::read(&b"{\"short\": 1}"[..]).unwrap_err();
    assert!(matches!(error, TableError::Foreign { .. }), "{error}");
}

/// A header whose checksum is right, and which asks for more than there is.
#[test]
fn absurd_headers_ask_for_no_memory() {
    for (players, fits) in [(0_u32, false), (40, true), (61, false), (u32::MAX, false)] {
        let mut header = KEPT[..56].to_vec();
        header[12..16].copy_from_slice(&players.to_le_bytes());
        let checksum = xxhash_rust::xxh3::xxh3_64(&header);
        header.extend_from_slice(&checksum.to_le_bytes());
        match Table::<f64>::read(header.as_slice()) {
            Err(TableError::Truncated { expected, got: 64 }) => assert!(fits && expected == 64 + (8 << players) + 8),
            Err(TableError::Players { players: named, limit: 58 }) => {
                assert!(!fits && named == players as usize);
            }
            other => panic!("{players}: {other:?}"),
        }
    }
}

/// A reader or writer that moves one byte at a time, is interrupted, and fails at last.
struct Stutter<T> {
    inner: T,
    calls: usize,
    fails_at: usize,
}

impl<T> Stutter<T> {
    fn step(&mut self) -> io::Result<()> {
        self.calls += 1;
        match self.calls {
            call if call == self.fails_at => Err(io::Error::other("unplugged")),
            call if call % 3 == 0 => Err(io::ErrorKind::Interrupted.into()),
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Stutter<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.step()?;
        let room = if room.is_empty() { room } else { &mut room[..1] };
        self.inner.read(room)
    }
}

impl<W: Write> Write for Stutter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.step()?;
        self.inner.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[test]
fn slow_readers_and_writers_work_and_broken_ones_are_errors() {
    let mut slow = Stutter { inner: Vec::new(), calls: 0, fails_at: usize::MAX };
    Table::new(awkward(3)).unwrap().write(&mut slow).unwrap();
    assert_eq!(slow.inner, KEPT);
    assert!(Table::<f64>::read(Stutter { inner: KEPT, calls: 0, fails_at: usize::MAX }).is_ok());

    let mut broken = Stutter { inner: Vec::new(), calls: 0, fails_at: 50 };
    assert_eq!(Table::new(awkward(3)).unwrap().write(&mut broken).unwrap_err().to_string(), "unplugged");
    let result = Table::<f64>::read(Stutter { inner: KEPT, calls: 0, fails_at: 50 });
    assert!(matches!(result, Err(TableError::Io(_))));
}

/// A type of a user's own, which not all bytes are a value of.
#[derive(Clone, Debug, PartialEq)]
struct Positive(f64);

impl shapley::Value for Positive {
    fn add_assign(&mut self, other: &Self) {
        self.0 += other.0;
    }
    fn sub_assign(&mut self, other: &Self) {
        self.0 -= other.0;
    }
    fn scale(&mut self, numerator: i128, denominator: i128) {
        self.0.scale(numerator, denominator);
    }
    fn is_finite(&self) -> bool {
        self.0.is_finite()
    }
    fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
        Self(f(self.0, other.0))
    }
}

impl Encode for Positive {
    const WIDTH: usize = 8;

    fn type_name() -> String {
        "positive".to_owned()
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        self.0.encode(bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        f64::decode(bytes).filter(|value| *value >= 0.0).map(Self)
    }
}

/// A type whose encoding does not keep its word.
#[derive(Clone, Debug)]
struct Liar<const NAME: usize, const BYTES: usize>;

impl<const NAME: usize, const BYTES: usize> shapley::Value for Liar<NAME, BYTES> {
    fn add_assign(&mut self, _: &Self) {}
    fn sub_assign(&mut self, _: &Self) {}
    fn scale(&mut self, _: i128, _: i128) {}
    fn is_finite(&self) -> bool {
        true
    }
    fn zip_with(&self, _: &Self, _: impl FnMut(f64, f64) -> f64) -> Self {
        self.clone()
    }
}

impl<const NAME: usize, const BYTES: usize> Encode for Liar<NAME, BYTES> {
    const WIDTH: usize = 8;

    fn type_name() -> String {
        "x".repeat(NAME)
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&[0; BYTES]);
    }

    fn decode(_: &[u8]) -> Option<Self> {
        Some(Self)
    }
}

#[test]
fn what_could_not_be_read_is_not_written() {
    fn write<V: Encode>(value: V) -> io::Result<()> {
        Table::new(vec![value.clone(), value]).unwrap().write(io::sink())
    }
    assert!(write(Liar::<256, 8>).is_ok());
    let error = write(Liar::<257, 8>).unwrap_err();
    assert_eq!(error.to_string(), "a type's name of 257 bytes is over the limit of 256");
    let error = write(Liar::<1, 3>).unwrap_err();
    assert_eq!(error.to_string(), "x encoded a value in 3 bytes, and promised 8");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn users_types_are_read_or_refused() {
    let good = vec![Positive(0.0), Positive(2.5)];
    let table: Table<Positive> = Table::read(written(good.clone()).as_slice()).unwrap();
    assert_eq!(table.values(), good);
    let result = Table::<Positive>::read(written(vec![Positive(0.0), Positive(-2.5)]).as_slice());
    assert!(matches!(result, Err(TableError::Undecodable { type_name }) if type_name == "positive"));
}

/// Bytes of a table of `positive`, whose name is another of as many bytes.
#[test]
fn a_type_name_tells_a_terminal_nothing() {
    for (name, shown) in
        [("\u{1b}[31mxxx", "\\u{1b}[31mxxx"), ("\u{202e}xxxxx", "\\u{202e}xxxxx"), ("שלום", "\u{2068}שלום\u{2069}")]
    {
        let mut bytes = written(vec![Positive(1.0), Positive(2.0)]);
        let at = bytes.windows(8).position(|bytes| bytes == b"positive").unwrap();
        bytes[at..at + 8].copy_from_slice(name.as_bytes());
        let checksum = xxhash_rust::xxh3::xxh3_64(&bytes[..56]);
        bytes[56..64].copy_from_slice(&checksum.to_le_bytes());
        let error = Table::<f64>::read(bytes.as_slice()).unwrap_err();
        assert!(matches!(&error, TableError::Type { found, .. } if found == name), "{error:?}");
        assert_eq!(error.to_string(), format!("the table holds values of type {shown}, and f64 was asked for"));
    }
}
