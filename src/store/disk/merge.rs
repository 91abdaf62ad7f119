//! One store's entries, taken into another.

use std::sync::Arc;

use super::buffer::{Buffer, Entry, Key};
use super::{DiskError, format, header};
use crate::Coalition;

/// What [`DiskStore::merge_from`](crate::DiskStore::merge_from) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// The entries that are new here, or were damaged here.
    pub added: u64,
    /// The entries that were here already, with the same value.
    pub in_both: u64,
    /// The entries of the other store that are damaged, and were left out.
    pub damaged: u64,
}

/// So many entries are looked up at once.
const AT_ONCE: usize = 1024;

pub(super) fn merge(ours: &Arc<Buffer>, theirs: &Buffer) -> Result<Merged, DiskError> {
    theirs.write_all()?; // it may have lost its path: that is how its values are saved
    let header = theirs.header();
    header::check(ours.engine.path(), &ours.header(), &header)?;
    let mut merged = Merged { added: 0, in_both: 0, damaged: 0 };
    // Without a number of players there is no entry.
    let Some(players) = header.players else { return Ok(merged) };
    // The stores are of the same game, so checksums begin from the same seed, and entries are moved as they are.
    let seed = ours.seed_for(players)?;
    let width = header.width as usize;
    let mut after: Option<Key> = None;
    loop {
        let mut entries = theirs.next(after.as_deref(), AT_ONCE)?;
        let Some((last, _)) = entries.last() else { break };
        after = Some(last.clone());
        let found = entries.len();
        entries.retain(|(key, entry)| header.is_entry(seed, key, entry));
        merged.damaged += (found - entries.len()) as u64;

        let keys: Vec<Key> = entries.iter().map(|(key, _)| key.clone()).collect();
        let mut here: Vec<Option<Entry>> = vec![None; keys.len()];
        ours.get(&keys, |place, entry| match format::unseal(seed, &keys[place], width, entry) {
            Some(_) => here[place] = Some(entry.into()),
            None => ours.engine.found_damage(),
        })?;
        let conflict =
            entries.iter().zip(&here).find(|((_, entry), here)| here.as_ref().is_some_and(|here| here != entry));
        if let Some(((key, _), _)) = conflict {
            let (path, other) = (ours.engine.path().to_owned(), theirs.engine.path().to_owned());
            return Err(DiskError::Conflict { path, other, coalition: coalition(players, key) });
        }
        let new: Vec<_> =
            entries.into_iter().zip(here).filter(|(_, here)| here.is_none()).map(|(new, _)| new).collect();
        merged.in_both += (keys.len() - new.len()) as u64;
        merged.added += new.len() as u64;
        if !new.is_empty() {
            ours.insert(new)?;
        }
    }
    // Only now: the other store is checked, and mended, before it is read again.
    (0..merged.damaged).for_each(|_| theirs.engine.found_damage());
    Ok(merged)
}

/// The coalition of a key.
fn coalition(players: u64, key: &[u8]) -> Coalition {
    let players = usize::try_from(players).unwrap_or(usize::MAX);
    let is_member = |&player: &usize| key.get(player / 8).is_some_and(|byte| byte >> (player % 8) & 1 == 1);
    Coalition::from_players(players, (0..players).filter(is_member))
}
