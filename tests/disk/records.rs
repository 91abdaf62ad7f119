//! The records of a store as bytes: known answers, properties, and the corpus of the fuzz target in `fuzz/`.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[path = "../../src/store/disk/format.rs"]
mod format;
#[path = "../../fuzz/properties.rs"]
mod properties;

use format::{BadHeader, Header, VERSION, is_key, seal, unseal};

fn header() -> Header {
    Header { width: 8, players: Some(12), type_name: "f64".to_owned(), fingerprint: "game".to_owned() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `docs/store-format.md` has them. They must stay for ever.
#[test]
fn known_bytes() {
    assert_eq!(VERSION, 1);
    let bytes = header().encode();
    let fields = ["01000000", "08000000", "0c00000000000000", "03000000", "04000000", "663634", "67616d65"];
    let checksum = xxhash_rust::xxh3::xxh3_64(&bytes[..bytes.len() - 8]);
    assert_eq!(hex(&bytes), fields.concat() + &hex(&checksum.to_le_bytes()));
    assert_eq!(header().seed(), checksum);
    let nobody = Header { players: None, ..header() };
    assert_eq!(hex(&nobody.encode()[8..16]), "ffffffffffffffff");

    let (key, mut entry) = ([0x05, 0x0a], 0.25_f64.to_le_bytes().to_vec());
    seal(header().seed(), &key, &mut entry);
    let sealed = xxhash_rust::xxh3::xxh3_64_with_seed(&[5, 10, 0, 0, 0, 0, 0, 0, 0xd0, 0x3f], checksum);
    assert_eq!(hex(&entry), "000000000000d03f".to_owned() + &hex(&sealed.to_le_bytes()));
    assert_eq!((checksum, sealed), (0x4d7d_1a83_d98b_1d5b, 0xb4ff_f2c0_7ba3_9bca));
    assert!(header().is_entry(checksum, &key, &entry));
    assert!(!header().is_entry(checksum, &[0x05, 0x1a], &entry));
    assert!(!nobody.is_entry(checksum, &key, &entry));
}

#[test]
fn keys_have_no_players_that_do_not_exist() {
    for (players, key, right) in [
        (0, &[][..], true),
        (0, &[0], false),
        (1, &[1], true),
        (1, &[2], false),
        (8, &[0xff], true),
        (9, &[0xff, 1], true),
        (9, &[0xff, 2], false),
        (9, &[0xff], false),
        (16, &[0, 0xff], true),
    ] {
        assert_eq!(is_key(players, key), right, "{players} players, {key:?}");
    }
}

/// A header with a right checksum, and something else that is not.
#[test]
fn headers_that_make_no_sense_are_damaged() {
    let sealed = |mut bytes: Vec<u8>| {
        let checksum = xxhash_rust::xxh3::xxh3_64(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        Header::decode(&bytes)
    };
    let right = header().encode()[..31].to_vec();
    assert_eq!(sealed(right.clone()), Ok(header()));
    for (at, byte) in [(4, 0), (16, 2), (16, 4), (17, 2), (20, 5), (22, 1), (24, 0xff), (30, 0xff)] {
        let mut wrong = right.clone();
        wrong[at] = byte;
        assert!(matches!(sealed(wrong), Err(BadHeader::Damaged(_))), "byte {at}");
    }
    for len in 0..31 {
        let cut = sealed(right[..len].to_vec());
        assert!(matches!(cut, Err(BadHeader::Damaged(_))), "{len} bytes");
    }
    for version in [0_u32, 2, u32::MAX] {
        let mut later = right.clone();
        later[..4].copy_from_slice(&version.to_le_bytes());
        later.truncate(4 + version as usize % 7); // whatever else is there
        assert_eq!(sealed(later), Err(BadHeader::Version(version)));
    }
}

#[test]
fn the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/entry");
    let mut files = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        properties::hold(&fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 24, "{files} files");
}

proptest! {
    #[test]
    fn properties_hold_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        properties::hold(&bytes);
    }

    #[test]
    fn one_flipped_bit_is_seen(seed: u64, key in prop::collection::vec(any::<u8>(), 0..40), value: [u8; 24], at: usize) {
        let mut entry = value.to_vec();
        seal(seed, &key, &mut entry);
        let bit = at % (entry.len() * 8);
        entry[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(unseal(seed, &key, 24, &entry), None);
    }
}

/// Writes the seeds of the corpus. The rest of it is what the fuzzer found.
#[test]
#[ignore = "it writes files: cargo test --features disk --test disk -- --ignored records::"]
fn write_the_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/entry");
    let write = |name: &str, bytes: &[u8]| fs::write(corpus.join(name), bytes).unwrap();
    let headers = [
        ("header", header()),
        ("header-no-players", Header { players: None, ..header() }),
        ("header-array", Header { width: 24, type_name: "[f64; 3]".to_owned(), ..header() }),
        ("header-empty-texts", Header { type_name: String::new(), fingerprint: String::new(), ..header() }),
        ("header-unicode", Header { fingerprint: "gáme ∅".to_owned(), ..header() }),
        ("header-zero-players", Header { players: Some(0), ..header() }),
    ];
    for (name, header) in headers {
        let bytes = header.encode();
        write(name, &bytes);
        write(&format!("{name}-cut"), &bytes[..bytes.len() - 3]);
        let mut later = bytes[..bytes.len() - 8].to_vec();
        later[0] = 2;
        later.extend_from_slice(&xxhash_rust::xxh3::xxh3_64(&later).to_le_bytes());
        write(&format!("{name}-later"), &later);
    }
    for (players, width) in [(0_usize, 8_usize), (1, 4), (8, 8), (9, 24), (64, 8), (200, 8)] {
        let key = vec![0; players.div_ceil(8)];
        let mut entry = vec![0x3f; width];
        seal(7, &key, &mut entry);
        let mut bytes = 7_u64.to_le_bytes().to_vec();
        bytes.extend_from_slice(&[key.len() as u8, width as u8]);
        bytes.extend_from_slice(&key);
        bytes.extend_from_slice(&entry);
        write(&format!("entry-{players}-{width}"), &bytes);
        bytes.pop();
        write(&format!("entry-{players}-{width}-cut"), &bytes);
    }
}
