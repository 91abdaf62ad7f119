//! What tells one game from another, in stores and partial results.

use std::fmt;

use xxhash_rust::xxh3::xxh3_128;

/// What tells a game from others: any text or number of your choice, such as a hash of the model and of the data.
///
/// A `DiskStore` (feature `disk`) keeps it in its file and refuses to open for another; partial results
/// ([`Part::fingerprint`](crate::parts::Part::fingerprint)) of different ones are not merged. All that the
/// value of a coalition depends on belongs in it: what is left out, and changes, gives values of the game that was.
///
/// Text is taken as it is, numbers in decimal, bytes (a hash) in lowercase hex. For a store, at most 4096 bytes of
/// text: of a longer description take [`hash_of`](Self::hash_of).
///
/// ```
/// use shapley::store::Fingerprint;
///
/// assert_eq!(Fingerprint::from([0xbe, 0xef]), Fingerprint::from("beef"));
/// assert_eq!(Fingerprint::from(7_u64).to_string(), "7");
/// let of_two = Fingerprint::from(format!("model {}, rows {}", 0x51f0_u64, "2024-01"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of any number of bytes, such as a whole configuration file: their 128-bit XXH3 hash, and how
    /// many there are.
    ///
    /// Two descriptions have the same hash by chance only, once in 10³⁸. XXH3 does not withstand somebody who looks for
    /// a second description with the same hash: where that matters, take a cryptographic hash, and make a fingerprint
    /// of its bytes.
    ///
    /// ```
    /// use shapley::store::Fingerprint;
    ///
    /// let configuration = "line = 1 2 0.37\n".repeat(400);
    /// let fingerprint = Fingerprint::hash_of(&configuration);
    /// assert_eq!(fingerprint.as_str(), "xxh3-128 92e59e532cc0898cb40f7a5459aa0fd3 of 6400 bytes");
    /// assert_ne!(fingerprint, Fingerprint::hash_of(configuration.trim_end()));
    /// ```
    #[must_use]
    pub fn hash_of(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        Self(format!("xxh3-128 {:032x} of {} bytes", xxh3_128(bytes), bytes.len()))
    }

    /// The fingerprint as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How an error shows one, or that there is none.
    pub(crate) fn shown(fingerprint: &Option<Self>) -> String {
        fingerprint.as_ref().map_or("none".to_owned(), |fingerprint| format!("{:?}", fingerprint.0))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

macro_rules! text_fingerprints {
    ($($from:ty),*) => {$(
        impl From<$from> for Fingerprint {
            fn from(text: $from) -> Self {
                Self(text.to_string())
            }
        }
    )*};
}

text_fingerprints!(&str, String, &String, u16, u32, u64, u128, usize, i32, i64);

impl From<&[u8]> for Fingerprint {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl<const N: usize> From<&[u8; N]> for Fingerprint {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl<const N: usize> From<[u8; N]> for Fingerprint {
    fn from(bytes: [u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<Vec<u8>> for Fingerprint {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}
