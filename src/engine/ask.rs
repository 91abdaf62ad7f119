//! Asking a game for values, and checking what it answers: one finite value for each coalition, or an error that names
//! the coalition.

use crate::{Coalition, Error, TryGame, Value};

/// Checks the answer to a call for `asked` coalitions that gave the values `got`; `coalition` tells which was asked for
/// at an index below `asked`.
pub(crate) fn check_answer<G: TryGame + ?Sized>(
    game: &G,
    asked: usize,
    got: &[G::Value],
    answer: Result<(), G::Error>,
    coalition: impl Fn(usize) -> Coalition,
) -> Result<(), Error<G::Error>> {
    if let Some([ours, theirs]) = game.other_game() {
        let (ours, theirs) = (ours.clone(), theirs.clone());
        let what = "the game of the store, which must have a store of its own,";
        return Err(Error::Mismatch { what, ours, theirs });
    }
    if answer.is_ok() && got.len() != asked {
        return Err(Error::BatchLength { asked, got: got.len() });
    }
    // A bad value before the coalition that failed comes first.
    let coalition = |index: usize| coalition(index.min(asked - 1));
    check_finite(got, coalition)?;
    answer.map_err(|source| Error::Game { coalition: coalition(got.len()), source })
}

/// Refuses values that are not finite, by the coalition of the first.
pub(crate) fn check_finite<V: Value, E>(values: &[V], coalition: impl Fn(usize) -> Coalition) -> Result<(), Error<E>> {
    // Without a way out in the middle, so that it goes by vector instructions.
    if values.iter().fold(true, |all, value| all & value.is_finite()) {
        return Ok(());
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Error::NotFinite { coalition: coalition(index) }),
        None => Ok(()),
    }
}

/// Asks a game for some coalitions; their values are appended.
pub(crate) fn ask<G: TryGame + ?Sized>(
    game: &G,
    coalitions: &[Coalition],
    values: &mut Vec<G::Value>,
) -> Result<(), Error<G::Error>> {
    let before = values.len();
    let answer = game.try_values(coalitions, values);
    let got = values.get(before..).unwrap_or_default();
    check_answer(game, coalitions.len(), got, answer, |index| coalitions[index].clone())
}

/// Refuses games of more players than any solver takes.
pub(crate) fn check_players<E>(players: usize) -> Result<(), Error<E>> {
    match players {
        ..=Coalition::MAX_PLAYERS => Ok(()),
        _ => Err(Error::TooManyPlayers { players, limit: Coalition::MAX_PLAYERS }),
    }
}

/// v(∅) and v(N), as far as they are wanted, asked for in one call. Refuses games of more players than any solver
/// takes, whatever is wanted.
pub(crate) fn ends<G: TryGame + ?Sized>(
    game: &G,
    players: usize,
    wanted: [bool; 2],
) -> Result<[Option<G::Value>; 2], Error<G::Error>> {
    check_players(players)?;
    let ends = [Coalition::empty(players), Coalition::grand(players)];
    let coalitions: Vec<Coalition> =
        ends.into_iter().zip(wanted).filter_map(|(end, wanted)| wanted.then_some(end)).collect();
    let mut values = Vec::with_capacity(2);
    if !coalitions.is_empty() {
        ask(game, &coalitions, &mut values)?;
    }
    let mut values = values.into_iter();
    Ok(wanted.map(|wanted| if wanted { values.next() } else { None }))
}

/// v(∅) and v(N).
pub(crate) fn both_ends<G: TryGame + ?Sized>(game: &G, players: usize) -> Result<[G::Value; 2], Error<G::Error>> {
    match ends(game, players, [true; 2])? {
        [Some(baseline), Some(grand)] => Ok([baseline, grand]),
        _ => Err(Error::BatchLength { asked: 2, got: 0 }),
    }
}
