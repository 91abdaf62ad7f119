//! The header of a store: what it is of, and whether that is what was asked for.

use std::path::Path;

use super::DiskError;
use super::format::{self, BadHeader, Header};
use crate::fingerprint::Fingerprint;
use crate::value::Encode;

/// The header of a new store of these values.
pub(super) fn expected<V: Encode>(fingerprint: &Fingerprint) -> Result<Header, DiskError> {
    let (len, limit) = (fingerprint.as_str().len(), format::LONGEST_FINGERPRINT);
    if len > limit {
        return Err(DiskError::FingerprintTooLong { len, limit });
    }
    let type_name = V::type_name();
    let (len, limit) = (type_name.len(), format::LONGEST_NAME);
    if len > limit {
        let type_name = type_name.chars().take(80).collect();
        return Err(DiskError::Encoding {
            type_name,
            what: format!("a name of {len} bytes is over the limit of {limit}"),
        });
    }
    match u32::try_from(V::WIDTH) {
        Ok(width @ 1..) => Ok(Header { width, players: None, type_name, fingerprint: fingerprint.as_str().to_owned() }),
        _ => {
            Err(DiskError::Encoding { type_name, what: format!("values of {} bytes do not fit the format", V::WIDTH) })
        }
    }
}

/// The header of a store's record of it, if there is one.
pub(super) fn parse(path: &Path, record: Option<Vec<u8>>) -> Result<Header, DiskError> {
    let path = || path.to_owned();
    let Some(record) = record else {
        return Err(DiskError::Foreign {
            path: path(),
            found: "it is a redb file without a store's header".to_owned(),
        });
    };
    Header::decode(&record).map_err(|bad| match bad {
        BadHeader::Version(found) => DiskError::Version { path: path(), found, supported: format::VERSION },
        BadHeader::Damaged(what) => DiskError::Damaged { path: path(), what: format!("its header: {what}") },
    })
}

/// An error unless the store is of the same game and type.
pub(super) fn check(path: &Path, header: &Header, expected: &Header) -> Result<(), DiskError> {
    let path = path.to_owned();
    let of = |header: &Header| format!("{} of {} bytes", header.type_name, header.width);
    if header.type_name != expected.type_name {
        let (found, expected) = (header.type_name.clone(), expected.type_name.clone());
        return Err(DiskError::Type { path, found, expected });
    }
    if header.width != expected.width {
        return Err(DiskError::Type { path, found: of(header), expected: of(expected) });
    }
    if header.fingerprint != expected.fingerprint {
        let (found, expected) = (header.fingerprint.clone(), expected.fingerprint.clone());
        return Err(DiskError::Fingerprint { path, found, expected });
    }
    Ok(())
}
