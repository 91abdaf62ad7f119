//! Any bytes are an entry, a header or nothing: no panic, and what is read is what was written.

#![no_main]

#[path = "../../src/store/disk/format.rs"]
#[allow(dead_code, reason = "the crate uses more of it")]
mod format;
#[path = "../properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::hold(bytes));
