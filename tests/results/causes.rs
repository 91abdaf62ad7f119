//! What `{:#}` writes of an error: the causes, which `{}` leaves to `source`.

use std::error::Error as StdError;

use shapley::games::{ByRef, Features};
use shapley::store::{CacheError, Store, StoreError};
use shapley::{Cached, Coalition, Error, Exact, Semivalue, Table, TryGame, exact, try_from_fn};

#[derive(Debug, thiserror::Error)]
#[error("no answer of the model")]
struct NoAnswer(#[source] std::num::ParseFloatError);

fn bad(coalition: &Coalition) -> Result<f64, NoAnswer> {
    if coalition.len() == 2 { "x".parse().map_err(NoAnswer) } else { Ok(0.0) }
}

/// The texts of an error and its sources, with a colon between them: what `anyhow` would print.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}

fn assert_whole(error: &impl StdError, says: &str) {
    assert_eq!(format!("{error:#}"), chain(error));
    assert!(format!("{error:#}").ends_with(says), "{error:#}");
    assert!(!format!("{error}").contains(says), "{error}");
}

#[test]
fn of_a_game_that_failed() {
    let error = exact(&try_from_fn(3, bad)).unwrap_err();
    assert_whole(&error, ": no answer of the model: invalid float literal");
    assert_eq!(error.to_string(), "the game failed at coalition {0, 1}");
    // Others have no cause.
    let none = Table::new(vec![1.0]).unwrap_err();
    assert_eq!(format!("{none:#}"), none.to_string());
    let invalid = Error::<NoAnswer>::from(shapley::games::GameError::NoPlayers {});
    assert_eq!((format!("{invalid:#}"), invalid.source().is_none()), ("the game has no players".to_owned(), true));
}

#[test]
fn of_shapes_that_do_not_fit() {
    let model = |rows: &[f64], _: usize| vec![0.0; rows.len()];
    let error = exact(&Features::new([1.0, 2.0], [0.0; 3], model)).unwrap_err();
    assert_whole(&error, ": a background of 3 numbers does not consist of rows of 2 columns, as the instance has");
}

/// A store that is never there.
#[derive(Debug)]
struct Away;

impl Store<f64> for Away {
    type Error = StoreError<std::io::Error>;

    fn get(&self, _: &Coalition) -> Result<Option<f64>, Self::Error> {
        Err(std::io::Error::other("unplugged").into())
    }

    fn insert(&self, _: &Coalition, _: &f64) -> Result<(), Self::Error> {
        Ok(())
    }

    fn len(&self) -> u64 {
        0
    }
}

#[test]
fn of_a_store() {
    let game = try_from_fn(3, bad);
    let error = exact(&Cached::with_store(game.by_ref(), Away)).unwrap_err();
    assert_whole(&error, ": the store of its values failed: unplugged");
    let Error::Game { source, .. } = error else { panic!("{error}") };
    assert_whole(&source, ": unplugged");
    let game: CacheError<NoAnswer, std::io::Error> =
        CacheError::Game(NoAnswer("x".parse::<f64>().expect_err("no number")));
    assert_eq!(game.to_string(), "no answer of the model");
    assert_eq!(game.source().expect("the game's source").to_string(), "invalid float literal");
}

#[test]
fn of_a_table_that_cannot_be_read() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("a bad cable"))
        }
    }
    assert_whole(&Table::<f64>::read(Broken).unwrap_err(), ": a bad cable");
}

#[cfg(feature = "disk")]
#[test]
fn of_a_store_on_disk() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("no such directory").join("a.store");
    let error = shapley::DiskStore::<f64>::open(&path, "game").unwrap_err();
    assert!(matches!(error, shapley::store::DiskError::Io { .. }), "{error:?}");
    assert_eq!(format!("{error:#}"), chain(&error));
    assert!(error.source().is_some());
}

#[cfg(feature = "mpi")]
#[test]
fn of_a_job() {
    let failure = shapley::mpi::Failure::new(NoAnswer("x".parse::<f64>().expect_err("no number")));
    let source = Error::Game { coalition: Coalition::grand(2), source: failure.clone() };
    let whole = ": no answer of the model: invalid float literal";
    assert_whole(&shapley::mpi::Error::Solve { rank: 3, source }, whole);
    let path = std::path::PathBuf::from("sums");
    assert_whole(&shapley::mpi::Error::Saved { path: path.clone(), source: failure.clone() }, whole);
    assert_whole(&shapley::mpi::Error::File { rank: 1, path, source: failure }, whole);
}

/// An error without a game's own becomes one of any game; every variant stays what it is.
#[test]
fn an_error_changes_its_game() {
    fn early<G: TryGame<Value = f64>>(game: &G, alpha: f64) -> Result<f64, Error<G::Error>> {
        let semivalue = Semivalue::beta(alpha, 1.0).map_err(|error| error.map(|never| match never {}))?;
        Ok(Exact::new().semivalue(game, &semivalue)?[0])
    }
    assert!(matches!(early(&try_from_fn(3, bad), -1.0), Err(Error::WeightParameter { value, .. }) if value < 0.0));
    assert!(matches!(early(&try_from_fn(3, bad), 1.0), Err(Error::Game { source: NoAnswer(_), .. })));

    let error = exact(&try_from_fn(3, bad)).unwrap_err().map(|source| source.0);
    assert!(matches!(&error, Error::Game { coalition, source: _ } if coalition.to_string() == "{0, 1}"), "{error}");
    assert_eq!(format!("{error:#}"), "the game failed at coalition {0, 1}: invalid float literal");
}

/// A trait object of a game that can fail goes where a game is taken by value.
#[test]
fn trait_objects_go_into_a_cache() -> Result<(), Box<dyn StdError>> {
    type Model = dyn TryGame<Value = f64, Error = NoAnswer>;
    let models: [Box<Model>; 2] =
        [Box::new(try_from_fn(3, |s| Ok(s.len() as f64))), Box::new(try_from_fn(3, |s| bad(s).map(|_| 1.0)))];
    let cached = Cached::new(ByRef::new(&*models[0]));
    assert_eq!(exact(&cached)?.values(), [1.0; 3]);
    assert_eq!(exact(&cached)?.values(), [1.0; 3]);
    assert_eq!(cached.stats().misses, 8);
    let failing: &Model = &*models[1];
    assert!(matches!(exact(&Cached::new(ByRef::new(failing))), Err(Error::Game { source: NoAnswer(_), .. })));
    Ok(())
}
