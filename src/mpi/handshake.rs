//! What ranks tell each other before they begin: that they were called with the same, and that none of them has failed.

use serde::{Deserialize, Serialize};

use super::Error;
use super::error::Sent;
use super::transport::{Transport, decode, encode};

/// What rank 0 is told at first.
#[derive(Serialize, Deserialize)]
struct Hello {
    settings: Vec<(String, String)>,
    threads: u64,
}

impl Hello {
    fn new(settings: Vec<(&'static str, String)>, threads: usize) -> Self {
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { settings, threads: threads as u64 }
    }
}

/// The threads of all ranks; refused if they were not called with the same.
fn greet(link: &mut Transport, ours: &Hello) -> Result<Vec<u64>, Error> {
    let ranks = link.ranks();
    let mut threads = vec![ours.threads; ranks];
    let mut differs: Option<(usize, Error)> = None;
    for _ in 1..ranks {
        let (rank, bytes) = link.wait();
        let result = decode::<Hello>(rank, &bytes).and_then(|theirs| {
            threads[rank] = theirs.threads;
            check_settings(rank, &ours.settings, &theirs.settings)
        });
        if let Err(error) = result
            && differs.as_ref().is_none_or(|(other, _)| rank < *other)
        {
            differs = Some((rank, error));
        }
    }
    differs.map_or(Ok(threads), |(_, error)| Err(error))
}

fn check_settings(rank: usize, ours: &[(String, String)], theirs: &[(String, String)]) -> Result<(), Error> {
    // The first is what was called: of other calls the rest has other names.
    let none = ("the call".to_owned(), "none".to_owned());
    for place in 0..ours.len().max(theirs.len()) {
        let [(what, ours), (_, theirs)] = [ours, theirs].map(|all| all.get(place).unwrap_or(&none));
        if ours != theirs {
            return Err(mismatch(what, ours.clone(), rank, theirs.clone()));
        }
    }
    Ok(())
}

pub(super) fn mismatch(what: &str, ours: String, rank: usize, theirs: String) -> Error {
    Error::Mismatch { what: what.to_owned(), ours, rank, theirs }
}

/// Refuses to go on unless all ranks were called with the same. On rank 0 the threads of all ranks.
///
/// Every call begins so, and none has said anything before: ranks that are in different calls understand each other.
pub(super) fn agree(
    link: &mut Transport,
    settings: Vec<(&'static str, String)>,
    threads: usize,
) -> Result<Vec<u64>, Error> {
    let (rank, hello) = (link.rank(), Hello::new(settings, threads));
    match rank {
        0 => {
            let greeted = greet(link, &hello);
            tell(link, greeted)
        }
        _ => {
            link.send(0, &encode(rank, &hello)?);
            hear_of(link, Ok(Vec::new()))
        }
    }
}

/// What this rank has, if none of the ranks has failed; or else the failure of the first of those that have, on all.
#[cfg(feature = "disk")]
pub(super) fn all_or_none<T>(link: &mut Transport, mine: Result<T, Error>) -> Result<T, Error> {
    let rank = link.rank();
    if rank > 0 {
        let said: Option<Sent> = mine.as_ref().err().map(Error::sent);
        link.send(0, &encode(rank, &said)?);
        return hear_of(link, mine);
    }
    let mut first: Option<(usize, Error)> = None;
    for _ in 1..link.ranks() {
        let (rank, bytes) = link.wait();
        let said = decode::<Option<Sent>>(rank, &bytes).map(|said| said.map(Sent::received));
        if let Some(error) = said.unwrap_or_else(Some)
            && first.as_ref().is_none_or(|(other, _)| rank < *other)
        {
            first = Some((rank, error));
        }
    }
    match (mine, first) {
        (Ok(_), Some((_, error))) => tell(link, Err(error)),
        (mine, _) => tell(link, mine),
    }
}

/// Tells all ranks whether it goes on.
fn tell<T>(link: &mut Transport, mine: Result<T, Error>) -> Result<T, Error> {
    let said = encode(0, &mine.as_ref().err().map(Error::sent))?;
    (1..link.ranks()).for_each(|rank| link.send(rank, &said));
    mine
}

/// Hears from rank 0 whether it goes on.
fn hear_of<T>(link: &mut Transport, mine: Result<T, Error>) -> Result<T, Error> {
    let (_, bytes) = link.wait();
    match decode::<Option<Sent>>(0, &bytes)? {
        Some(sent) => Err(sent.received().with_original(mine.err())),
        None => mine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_setting_that_differs_is_named() {
        let settings = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let ours = settings(&[("the call", "exact"), ("the order", "1")]);
        assert!(check_settings(3, &ours, &ours).is_ok());
        for (theirs, text) in [
            (settings(&[("the call", "exact"), ("the order", "2")]), "the order differs: 1 on rank 0, 2 on rank 3"),
            (settings(&[("the call", "permutation")]), "the call differs: exact on rank 0, permutation on rank 3"),
            (settings(&[("the call", "exact")]), "the order differs: 1 on rank 0, none on rank 3"),
        ] {
            assert_eq!(check_settings(3, &ours, &theirs).expect_err("they differ").to_string(), text);
        }
    }
}
