//! Values as bytes of fixed width.

use crate::Value;

/// A value with a little-endian form of fixed width, so that it can be kept in a file.
///
/// Implemented for `f32`, `f64` and arrays of such values. For a type of your own, give it a name that no other type
/// has; a file that holds another type is then an error, and never garbage. Rationals of any size have no fixed width.
pub trait Encode: Value {
    /// The number of bytes of a value, at least 1.
    const WIDTH: usize;

    /// The type's name in a file's header: at most 256 bytes.
    fn type_name() -> String;

    /// Appends [`WIDTH`](Self::WIDTH) bytes.
    fn encode(&self, bytes: &mut Vec<u8>);

    /// The value of `WIDTH` bytes that `encode` made, bit for bit; `None` if it made no such bytes.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

macro_rules! float_encodings {
    ($($float:ty),*) => {$(
        impl Encode for $float {
            const WIDTH: usize = size_of::<$float>();

            fn type_name() -> String {
                stringify!($float).to_owned()
            }

            fn encode(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn decode(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }
        }
    )*};
}

float_encodings!(f32, f64);

impl<V: Encode, const N: usize> Encode for [V; N] {
    const WIDTH: usize = V::WIDTH * N;

    fn type_name() -> String {
        format!("[{}; {N}]", V::type_name())
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        for value in self {
            value.encode(bytes);
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != Self::WIDTH {
            return None;
        }
        let mut values = Vec::with_capacity(N);
        for part in bytes.chunks_exact(V::WIDTH) {
            values.push(V::decode(part)?);
        }
        values.try_into().ok()
    }
}
