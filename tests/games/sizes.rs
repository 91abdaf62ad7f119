//! Games that say that they have more players than a solver takes: an error that names their number and the limit,
//! before anything is asked for or any memory taken. And the largest that every solver takes.

use shapley::games::{
    Airport, ByRef, Counted, Dual, GameError, Glove, KNearest, MinimumSpanningTree, Restricted, Scaled, Sum, Unanimity,
    WeightedVoting,
};
use shapley::{
    Cached, Coalition, Error, Exact, Game, Index, MemoryStore, Permutation, Semivalue, Table, banzhaf, exact, from_fn,
    interactions, permutation, try_from_fn,
};

const MOST: usize = Coalition::MAX_PLAYERS;

/// Beyond any limit.
const HUGE: [usize; 7] = [usize::MAX, usize::MAX - 1, 1 << 63, 1 << 32, u32::MAX as usize, 1_000_000_000, MOST + 1];

type Solve = fn(&dyn Game<Value = f64>) -> Result<(), Error>;

/// Every solver, and the most players that it takes.
fn solvers() -> Vec<(&'static str, usize, Solve)> {
    vec![
        ("exact", 30, |game| exact(game).map(drop)),
        ("banzhaf", 30, |game| banzhaf(game).map(drop)),
        ("interactions", 30, |game| interactions(game, Index::Shapley, 2).map(drop)),
        ("Exact", 62, |game| Exact::new().max_players(usize::MAX).solve(game).map(drop)),
        ("semivalue", 62, |game| {
            Exact::new().max_players(usize::MAX).semivalue(game, &Semivalue::beta(1.0, 4.0)?).map(drop)
        }),
        ("Exact::interactions", 62, |game| {
            Exact::new().max_players(usize::MAX).interactions(game, Index::FaithfulBanzhaf, usize::MAX).map(drop)
        }),
        ("summary", 62, |game| Exact::new().max_players(usize::MAX).summary(game, 1).map(drop)),
        ("a part of Exact", 62, |game| Exact::new().max_players(usize::MAX).part(1, 3).run(game).map(drop)),
        ("tabulate", 30, |game| Table::tabulate(game).map(drop)),
        ("Exact::tabulate", 62, |game| Exact::new().max_players(usize::MAX).tabulate(game).map(drop)),
        ("permutation", MOST, |game| permutation(game, u64::MAX).map(drop)),
        ("permutation of a small budget", MOST, |game| permutation(game, 1000).map(drop)),
        ("Permutation", MOST, |game| {
            Permutation::new(u64::MAX).antithetic(false).precision(0.1).truncate(0.1).batch(64).estimate(game).map(drop)
        }),
        ("a part of Permutation", MOST, |game| Permutation::new(u64::MAX).part(1, 3).run(game).map(drop)),
        #[cfg(feature = "surrogate")]
        ("Surrogate", 4000, |game| shapley::Surrogate::new(u64::MAX).estimate(game).map(drop)),
        #[cfg(feature = "surrogate")]
        ("KernelShap", 4000, |game| shapley::KernelShap::new(u64::MAX).estimate(game).map(drop)),
    ]
}

fn unasked(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |_| -> f64 { panic!("asked") })
}

/// Games of as many players as they are told, and games made of a game.
fn games(players: usize) -> Vec<(&'static str, Box<dyn Game<Value = f64>>)> {
    vec![
        ("a closure", Box::new(unasked(players))),
        ("a batch", Box::new(shapley::from_batch_fn(players, |_| -> Vec<f64> { panic!("asked") }))),
        ("left gloves", Box::new(Glove::new(players, 0))),
        ("gloves", Box::new(Glove::new(players / 2, players - players / 2))),
    ]
}

fn refuses(name: &str, result: Result<(), Error>, players: usize, limit: usize) {
    let Err(error) = result else { panic!("{name} takes {players} players") };
    let text = error.to_string();
    assert!(
        matches!(error, Error::TooManyPlayers { players: named, limit: over } if (named, over) == (players, limit)),
        "{name}, {players} players: {error:?}"
    );
    assert!(text.starts_with(&format!("{players} players are over the limit of {limit}: ")), "{name}: {text}");
    // What would not be taken either is no advice.
    assert_eq!(text.contains("Permutation"), players <= MOST, "{name}: {text}");
}

#[test]
fn every_solver_refuses_games_that_are_too_large() {
    for (name, limit, solve) in solvers() {
        for players in HUGE.into_iter().chain([limit + 1]) {
            for (game_name, game) in games(players) {
                refuses(&format!("{name} of {game_name}"), solve(&game), players, limit);
            }
        }
    }
}

/// What is made of a game is refused as the game is, remembered or not.
#[test]
fn games_made_of_games_that_are_too_large_are_refused() -> Result<(), Box<dyn std::error::Error>> {
    for players in HUGE {
        let game = unasked(players);
        let sampler = Permutation::new(u64::MAX);
        let refused = |name: &str, result: Result<(), Error>| refuses(name, result, players, MOST);
        refused("dual", sampler.estimate(&Dual::new(&game)).map(drop));
        refused("scaled", sampler.estimate(&Scaled::new(&game, 1, 2)?).map(drop));
        refused("sum", sampler.estimate(&Sum::new(&game, Glove::new(players, 0))?).map(drop));
        refused("counted", sampler.estimate(&Counted::new(&game)).map(drop));
        refused("by reference", sampler.estimate(&ByRef::new(&game)).map(drop));
        refused("cached", sampler.estimate(&Cached::new(&game)).map(drop));
        refused("bounded", sampler.estimate(&Cached::with_store(&game, MemoryStore::bounded(10))).map(drop));
        let error = Restricted::new(&game, [0]).map(drop).unwrap_err();
        assert_eq!(error, GameError::TooManyPlayers { players, limit: MOST });
        assert_eq!(error.to_string(), format!("{players} players are over the limit of {MOST}"));
    }
    Ok(())
}

/// The games whose number of players is a number.
#[test]
fn ready_made_games_refuse_sizes_that_no_solver_takes() {
    for players in HUGE {
        let too_many = GameError::TooManyPlayers { players, limit: MOST };
        assert_eq!(Unanimity::new(players, [([0], 1.0)]).unwrap_err(), too_many);
        assert_eq!(Unanimity::new(players, [(vec![], 1.0), (vec![players - 1], 2.0)]).unwrap_err(), too_many);
        // Its terms are not looked at.
        let endless = std::iter::repeat_with(|| -> ([usize; 1], f64) { panic!("a term was taken") });
        assert_eq!(Unanimity::new(players, endless).unwrap_err(), too_many);
        let tree = MinimumSpanningTree::new(players, [(0, players, 1.0), (players - 1, players, 2.0)]);
        assert_eq!(tree.unwrap_err(), GameError::NoWayToSource { player: 1 });
        let market = Glove::new(players / 2, players - players / 2);
        let closed = std::panic::catch_unwind(|| market.shapley()).unwrap_err();
        let text = closed.downcast_ref::<String>().expect("a text");
        assert_eq!(*text, too_many.to_string());
    }
}

/// A value for each player is little, and a set of players for each is not.
#[test]
fn interactions_of_more_sets_than_fit_in_memory_are_refused() -> Result<(), GameError> {
    for players in [MOST, 1_000_000, 100_000] {
        let game = Unanimity::new(players, [([0, players - 1], 1.0)])?;
        for order in [1, 2, players, usize::MAX] {
            match game.interactions(Index::Shapley, order) {
                Err(Error::Order { order: named, players: of, limit: 0 }) => assert_eq!((named, of), (order, players)),
                other => panic!("{:?}", other.map(drop)),
            }
        }
        assert_eq!(game.shapley().iter().sum::<f64>().to_bits(), 1.0_f64.to_bits());
    }
    let pairs = Unanimity::new(129, [([0, 128], 1.0)])?.interactions(Index::Shapley, 2).expect("8386 sets");
    assert_eq!(pairs.get(&[0, 128]), Some(&1.0));
    Ok(())
}

/// Labels that take no memory can be as many as can be counted; coordinates cannot.
#[test]
fn labels_without_size_are_counted_against_coordinates() {
    for labels in [usize::MAX, usize::MAX - 1, 1 << 63, 1 << 32] {
        let many = vec![(); labels];
        for columns in [1, 2, 3] {
            let of_two = vec![1.0; 2 * columns];
            match KNearest::new(1, (&of_two, [(); 2]), ([], &many)) {
                Err(GameError::Shape { what: "coordinates of test points", got: 0, expected }) => {
                    assert_eq!(expected, columns.saturating_mul(labels));
                }
                other => panic!("{other:?}"),
            }
            match KNearest::new(usize::MAX, (&of_two, &many), (&of_two, [(); 2])) {
                Err(GameError::Shape { what: "coordinates of training points", expected, .. }) => {
                    assert_eq!(expected, labels);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // As many neighbours as can be counted are all of them.
    let all = KNearest::new(usize::MAX, ([0.0, 1.0], [(); 2]), ([0.5], [()])).expect("two points");
    assert_eq!(exact(&all).expect("two players").len(), 2);
    assert_eq!(all.shapley().len(), 2);
}

/// Values that take no memory can be as many as can be counted; their places in another order cannot.
#[test]
fn tables_of_values_without_size() {
    for players in [31, 40, 63] {
        let values = vec![[0.0_f64; 0]; 1 << players];
        for table in [Table::by_size(values.clone()).map(drop), exact(&Table::new(values).expect("2^n")).map(drop)] {
            assert!(
                matches!(table, Err(Error::TooManyPlayers { players: named, limit: 30 }) if named == players),
                "{table:?}"
            );
        }
    }
    assert!(matches!(Table::by_size(vec![[0.0_f64; 0]; usize::MAX]), Err(Error::TableLength { len: usize::MAX })));
}

/// 2^50 values do not fit in memory, and nothing is evaluated for them.
#[test]
fn a_table_without_room_is_refused_before_anything_is_asked() {
    for players in [50, 62] {
        match Exact::new().max_players(62).tabulate(&unasked(players)) {
            Err(Error::TooManyPlayers { players: named, limit }) => {
                assert!(named == players && (1..50).contains(&limit))
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The limit is one that is kept: a game of as many players is asked for v(∅) and v(N).
#[test]
fn the_most_players_are_taken() {
    let game = try_from_fn(MOST, |_| -> Result<f64, std::fmt::Error> { Err(std::fmt::Error) });
    match Permutation::new(u64::MAX).estimate(&game) {
        Err(Error::Game { coalition, .. }) => assert_eq!((coalition.len(), coalition.num_players()), (0, MOST)),
        other => panic!("{other:?}"),
    }
    assert!(Unanimity::new(MOST, [([MOST - 1], 1.0)]).is_ok());
    assert!(Restricted::new(&unasked(MOST), [MOST - 1]).is_ok());
    assert_eq!(Glove::new(MOST, 0).shapley().len(), MOST);
}

/// Games that have their players from data have no limit but memory; solvers have theirs.
#[test]
fn data_of_more_players_than_solvers_take() -> Result<(), GameError> {
    let sampler = Permutation::new(u64::MAX);
    refuses("airport", sampler.estimate(&Airport::new(vec![1.0; MOST + 1])?).map(drop), MOST + 1, MOST);
    let vote = WeightedVoting::new(1, vec![1; MOST + 1])?;
    refuses("vote", sampler.estimate(&vote).map(drop), MOST + 1, MOST);
    Ok(())
}
