//! Answers in parts: merged in any order they are those of one process, bit for bit; and what does not belong together
//! is refused.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::common::failing::Failure;
use crate::common::masks::{mask_of, pseudo};
use crate::common::tables::table;
use shapley::parts::{ExactPartial, PermutationPartial};
use shapley::{
    Coalition, Error, Exact, Index, Permutation, Progress, Semivalue, Stopped, Table, TryGame, Value, exact, from_fn,
    try_from_fn,
};

const CUTS: [u64; 4] = [1, 2, 7, 64];

pub(crate) fn game(players: usize) -> Table<f64> {
    table(players, |mask| pseudo(11, mask) - 0.3)
}

/// 0 to n − 1 in an order that looks random.
pub(crate) fn shuffled(n: u64, seed: u64) -> Vec<u64> {
    let mut numbers: Vec<u64> = (0..n).collect();
    numbers.sort_by_key(|&k| pseudo(seed, k).to_bits());
    numbers
}

/// All parts, merged one by one in a random order.
fn exact_merged(game: &impl TryGame<Value = f64>, order: usize, of: u64, seed: u64) -> ExactPartial<f64> {
    let part = |k| Exact::new().threads(1 + (k % 3) as usize).part(k, of).order(order).run(game);
    let mut parts = shuffled(of, seed).into_iter().map(|k| part(k).unwrap_or_else(|_| panic!("part {k} of {of}")));
    let mut all = parts.next().expect("a part");
    parts.for_each(|part| all.merge(&part).expect("parts of one game"));
    assert!(all.is_complete() && all.missing().is_empty());
    all
}

#[test]
fn exact_values_are_those_of_one_process() -> Result<(), Error> {
    let game = game(18);
    let whole = Exact::new().summary(&game, 1)?;
    for of in CUTS {
        let parts = exact_merged(&game, 1, of, of);
        assert_eq!(parts.evaluations(), (1 << 18) + 2 * (of - 1));
        assert_eq!(parts.finish()?, whole, "{of} parts");
        for semivalue in [Semivalue::shapley(), Semivalue::banzhaf(), Semivalue::beta(4.0, 1.0)?] {
            let values = Exact::new().semivalue(&game, &semivalue)?;
            assert_eq!(parts.finish()?.values(&semivalue)?, values);
        }
    }
    Ok(())
}

#[test]
fn interactions_are_those_of_one_process() -> Result<(), Error> {
    let game = game(15);
    let whole = Exact::new().summary(&game, 2)?;
    for of in CUTS {
        let parts = exact_merged(&game, 2, of, 3 * of);
        assert_eq!(parts.finish()?, whole, "{of} parts");
        let pairs = Exact::new().interactions(&game, Index::Shapley, 2)?;
        assert_eq!(parts.finish()?.interactions(Index::Shapley)?, pairs);
    }
    Ok(())
}

/// Asked and not read, on any number of threads, in any batch size, by groups that are merged with each other.
#[test]
fn threads_batches_and_groups_make_no_difference() -> Result<(), Error> {
    let game = from_fn(13, |s| (s.iter().map(|i| (i + 1) as f64).sum::<f64>()).sqrt());
    let whole = Exact::new().summary(&game, 1)?;
    for (threads, batch) in [(1, 0), (1, 1), (1, 4096), (3, 0), (3, 7), (3, 4096)] {
        let part = |k| Exact::new().threads(threads).batch(batch).part(k, 5).run(&game);
        let (mut even, mut odd) = (part(4)?, part(3)?);
        even.merge(part(0)?)?;
        odd.merge(part(1)?)?;
        even.merge(part(2)?)?;
        odd.merge(&even)?;
        assert_eq!(odd.finish()?, whole, "{threads} {batch}");
    }
    Ok(())
}

#[test]
fn tiny_games_and_more_parts_than_blocks() -> Result<(), Error> {
    for players in [1, 2, 3, 10, 11] {
        let game = game(players);
        for of in [1, 2, 7, 64] {
            let merged = exact_merged(&game, 1, of, 5).finish()?.values(&Semivalue::shapley())?;
            assert_eq!(merged, exact(&game)?, "{players} {of}");
            let sampler = Permutation::new(40).seed(2);
            assert_eq!(sampled(&game, &sampler, of, 6).finish()?, sampler.estimate(&game)?, "{players} {of}");
        }
    }
    Ok(())
}

#[test]
fn games_with_several_outputs_come_in_parts_too() -> Result<(), Error> {
    let game = from_fn(12, |s| [s.len() as f64, pseudo(1, mask_of(s)), 1.0]);
    let mut all = Exact::new().part(1, 2).run(&game)?;
    all.merge(Exact::new().part(0, 2).run(&game)?)?;
    assert_eq!(all.finish()?, Exact::new().summary(&game, 1)?);
    let sampler = Permutation::new(500).precision(1e-9);
    let mut all = sampler.clone().part(1, 2).run(&game)?;
    all.merge(sampler.clone().part(0, 2).run(&game)?)?;
    assert_eq!(all.finish()?, sampler.estimate(&game)?);
    Ok(())
}

fn sampled<G: TryGame<Value = f64>>(game: &G, sampler: &Permutation, of: u64, seed: u64) -> PermutationPartial<f64> {
    let part = |k| sampler.clone().threads(1 + (k % 3) as usize).part(k, of).run(game);
    let mut parts = shuffled(of, seed).into_iter().map(|k| part(k).unwrap_or_else(|_| panic!("part {k} of {of}")));
    let mut all = parts.next().expect("a part");
    parts.for_each(|part| all.merge(&part).expect("parts of one game"));
    assert!(all.is_complete());
    all
}

#[test]
fn estimates_are_those_of_one_process() -> Result<(), Error> {
    let game = from_fn(9, |s| pseudo(3, mask_of(s)) + s.len() as f64);
    let sampler = Permutation::new(3_000).seed(7);
    let samplers = [
        sampler.clone(),
        sampler.clone().antithetic(false),
        // Never reached; reached at a look; at the first.
        sampler.clone().precision(1e-6),
        sampler.clone().precision(0.1).confidence(0.9),
        sampler.clone().antithetic(false).precision(0.15).confidence(0.8),
        sampler.clone().precision(10.0),
    ];
    let mut stopped = Vec::new();
    for sampler in samplers {
        let whole = sampler.estimate(&game)?;
        stopped.push((whole.stopped(), whole.permutations()));
        for of in CUTS {
            let parts = sampled(&game, &sampler, of, of);
            let estimate = parts.finish()?;
            assert_eq!(estimate, whole, "{of} parts of {sampler:?}");
            assert!(parts.evaluations() >= whole.evaluations());
            // It goes on as the other does.
            let more = Permutation::new(4_000)
                .seed(7)
                .antithetic(whole.permutations() == 60 || !format!("{sampler:?}").contains("antithetic: false"));
            assert_eq!(more.resume(&game, &estimate)?, more.resume(&game, &whole)?);
        }
    }
    assert!(
        stopped.contains(&(Stopped::Precision, 60)) && stopped.contains(&(Stopped::Evaluations, 374)),
        "{stopped:?}"
    );
    assert!(stopped.iter().any(|&(why, walks)| why == Stopped::Precision && walks > 100), "{stopped:?}");
    Ok(())
}

#[test]
fn all_evaluations_are_counted() -> Result<(), Error> {
    let asked = AtomicU64::new(0);
    let game = from_fn(12, |s: &Coalition| {
        asked.fetch_add(1, Ordering::Relaxed);
        s.len() as f64
    });
    let count = |before: u64| asked.load(Ordering::Relaxed) - before;
    for of in [1, 3, 9] {
        for k in 0..of {
            let before = count(0);
            let part = Exact::new().part(k, of).run(&game)?;
            assert_eq!(part.evaluations(), count(before));
            let before = count(0);
            let part = Permutation::new(1_000).part(k, of).run(&game)?;
            assert_eq!(part.evaluations(), count(before));
        }
    }
    Ok(())
}

fn said<T>(result: Result<T, Error>) -> String {
    result.err().map_or_else(|| "nothing".to_owned(), |error| error.to_string())
}

thread_local! {
    /// The additions of `Fragile` until one panics; none if it is zero.
    static ADDITIONS: Cell<u64> = const { Cell::new(0) };
}

/// A value whose addition panics when it is told to.
#[derive(Clone, Debug, PartialEq)]
struct Fragile(f64);

impl Value for Fragile {
    fn add_assign(&mut self, other: &Self) {
        let left = ADDITIONS.get();
        ADDITIONS.set(left.saturating_sub(1));
        assert_ne!(left, 1, "this addition fails");
        self.0 += other.0;
    }

    fn sub_assign(&mut self, other: &Self) {
        self.0 -= other.0;
    }

    fn scale(&mut self, numerator: i128, denominator: i128) {
        self.0.scale(numerator, denominator);
    }

    fn is_finite(&self) -> bool {
        self.0.is_finite()
    }

    fn zip_with(&self, other: &Self, mut f: impl FnMut(f64, f64) -> f64) -> Self {
        Self(f(self.0, other.0))
    }
}

/// Parts that were half merged when a value panicked give the right result or none.
#[test]
fn a_panic_while_merging_leaves_no_wrong_sums() -> Result<(), Error> {
    let game = from_fn(12, |s: &Coalition| Fragile(pseudo(5, s.iter().map(|i| 1 << i).sum())));
    let sampler = Permutation::new(244).threads(1);
    let whole = sampler.estimate(&game)?;
    let mut panics = 0;
    for addition in 1..60 {
        let part = |k| sampler.clone().part(k, 4).run(&game);
        let (mut all, second) = (part(0)?, part(1)?);
        ADDITIONS.set(addition);
        let merged = catch_unwind(AssertUnwindSafe(|| all.merge(&second)));
        ADDITIONS.set(0);
        panics += u64::from(merged.is_err());
        if merged.is_err() {
            all.merge(&second)?;
        }
        all.merge(part(2)?)?;
        all.merge(part(3)?)?;
        match all.finish() {
            Ok(estimate) => assert_eq!(estimate, whole),
            Err(error) => assert!(matches!(error, Error::PartsMissing { .. }), "{error}"),
        }
    }
    assert!(panics > 10, "{panics}");
    Ok(())
}

#[test]
fn what_does_not_belong_together_is_refused() -> Result<(), Error> {
    let game = game(12);
    let part = |k| Exact::new().part(k, 4);
    let mut ours = part(1).fingerprint("mine").run(&game)?;
    let before = ours.clone();
    let mut refuse = |theirs: ExactPartial<f64>| said(ours.merge(theirs));
    assert_eq!(
        refuse(part(2).fingerprint("yours").run(&game)?),
        "the fingerprint differs: \"mine\" here, \"yours\" in the other"
    );
    assert_eq!(refuse(part(2).run(&game)?), "the fingerprint differs: \"mine\" here, none in the other");
    assert_eq!(refuse(part(2).order(2).fingerprint("mine").run(&game)?), "the order differs: 1 here, 2 in the other");
    assert_eq!(
        refuse(Exact::new().part(2, 5).fingerprint("mine").run(&game)?),
        "the number of parts differs: 4 here, 5 in the other"
    );
    let smaller = self::game(11);
    assert!(refuse(part(2).fingerprint("mine").run(&smaller)?).starts_with("the number of players differs: 12 here"));
    for (mask, what) in [(0, "v(empty)"), (4095, "v(N)")] {
        let mut values = game.values().to_vec();
        values[mask] = f64::from_bits(values[mask].to_bits() + 1);
        let other = Table::new(values).expect("a table");
        let text = refuse(part(2).fingerprint("mine").run(&other)?);
        assert!(text.starts_with(&format!("{what} differs")), "{text}");
    }
    assert_eq!(
        refuse(part(1).fingerprint("mine").run(&game)?),
        "part 1 of 4 is in both, and would count twice: part 1 here, part 1 in the other"
    );
    assert_eq!(ours, before);

    let sampler = Permutation::new(1_000).seed(1);
    let mut ours = sampler.clone().part(0, 4).run(&game)?;
    let before = ours.clone();
    let mut refuse = |sampler: Permutation| said(ours.merge(sampler.part(1, 4).run(&game).expect("a part")));
    assert_eq!(refuse(sampler.clone().seed(2)), "the seed differs: 1 here, 2 in the other");
    assert_eq!(refuse(Permutation::new(999).seed(1)), "the budget differs: 1000 here, 999 in the other");
    assert_eq!(refuse(sampler.clone().precision(0.5)), "the precision differs: none here, 0.5 in the other");
    assert_eq!(refuse(sampler.clone().confidence(0.5)), "the confidence differs: 0.95 here, 0.5 in the other");
    assert_eq!(
        refuse(sampler.clone().antithetic(false)),
        "the setting `antithetic` differs: true here, false in the other"
    );
    assert!(said(ours.merge(sampler.clone().part(1, 5).run(&game)?)).starts_with("the number of parts differs"));
    assert!(
        said(ours.merge(sampler.clone().part(1, 4).fingerprint(3).run(&game)?)).starts_with("the fingerprint differs")
    );
    let other = table(12, |mask| pseudo(11, mask));
    assert!(said(ours.merge(sampler.clone().part(1, 4).run(&other)?)).starts_with("v(empty) differs"));
    match ours.merge(sampler.clone().part(0, 4).run(&game)?) {
        Err(Error::PartTwice { part: 0, of: 4, ours, theirs }) => assert_eq!((ours, theirs), (0..1, 0..1)),
        other => panic!("{other:?}"),
    }
    assert_eq!(ours, before);
    Ok(())
}

#[test]
fn what_is_missing_is_named() -> Result<(), Error> {
    let game = game(14);
    let mut all = Exact::new().part(3, 7).run(&game)?;
    all.merge(Exact::new().part(6, 7).run(&game)?)?;
    assert_eq!(all.missing(), [0..3, 4..6]);
    assert!(!all.is_complete());
    match all.finish() {
        Err(Error::PartsMissing { missing, of: 7 }) => assert_eq!(missing, [0..3, 4..6]),
        other => panic!("{other:?}"),
    }
    assert_eq!(said(all.finish()), "parts 0 to 2 and 4 to 5 of 7 missing: run what is missing, and merge it");
    let sampler = Permutation::new(2_000).precision(1e-9);
    let mut all = sampler.clone().part(3, 7).run(&game)?;
    all.merge(sampler.part(4, 7).run(&game)?)?;
    assert_eq!(all.missing(), [0..3, 5..7]);
    assert_eq!(said(all.finish()), "parts 0 to 2 and 5 to 6 of 7 missing: run what is missing, and merge it");
    Ok(())
}

#[test]
fn parts_that_do_not_exist() -> Result<(), Error> {
    let game = game(4);
    for (k, of, text) in [
        (3, 3, "the part cannot be 3: it must be less than the number of parts, the first being 0"),
        (0, 0, "the number of parts cannot be 0: it must be at least 1"),
        (
            u64::MAX,
            u64::MAX,
            "the part cannot be 18446744073709552000: it must be less than the number of parts, the first being 0",
        ),
    ] {
        assert_eq!(said(Exact::new().part(k, of).run(&game)), text);
        assert_eq!(said(Permutation::new(100).part(k, of).run(&game)), text);
    }
    // As many parts as there are numbers: those that have nothing to do say so.
    let part = Exact::new().part(u64::MAX / 2, u64::MAX).run(&game)?;
    assert_eq!((part.evaluations(), part.is_complete()), (2, false));
    Ok(())
}

#[test]
fn settings_and_failures() {
    let fine = game(12);
    let sampler = Permutation::new(1_000);
    let text = said(sampler.clone().deadline(Duration::from_secs(60)).part(0, 2).run(&fine));
    assert_eq!(
        text,
        "the deadline of a part cannot be 60: it must be left out, since its samples must not depend on time"
    );
    let text = said(sampler.clone().truncate(0.5).part(0, 2).run(&fine));
    assert!(text.starts_with("the truncation of a part cannot be 0.5"), "{text}");
    assert!(matches!(Permutation::new(10).part(0, 2).run(&fine), Err(Error::BudgetTooSmall { needed: 24, .. })));
    assert!(matches!(Exact::new().max_players(11).part(0, 2).run(&fine), Err(Error::TooManyPlayers { .. })));
    assert!(matches!(Exact::new().part(0, 2).order(13).run(&fine), Err(Error::Order { .. })));
    assert!(matches!(Exact::new().part(0, 2).run(&from_fn(0, |_| 0.0)), Err(Error::NoPlayers {})));

    // A part fails where its own share does, and at the ends, which all parts ask for.
    let bad = |mask: u64| try_from_fn(12, move |s| if mask_of(s) == mask { Err(Failure(mask)) } else { Ok(1.0) });
    for (mask, failing) in [(0, vec![0, 1, 2, 3]), (4095, vec![0, 1, 2, 3]), (1024, vec![1]), (3071, vec![2])] {
        for k in 0..4 {
            let result = Exact::new().part(k, 4).run(&bad(mask));
            match result {
                Err(Error::Game { source: Failure(at), .. }) => assert!(at == mask && failing.contains(&k)),
                other => assert!(other.is_ok() && !failing.contains(&k)),
            }
        }
    }
}

#[test]
fn observers_see_a_part_and_stop_it() {
    let game = from_fn(12, |s: &Coalition| s.len() as f64);
    let last = AtomicU64::new(0);
    let see = |progress: &Progress| {
        assert!(progress.evaluations <= progress.total);
        last.store(progress.evaluations, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    for threads in [1, 3] {
        let part = Exact::new().threads(threads).observe(see).part(1, 4).run(&game).expect("a part");
        assert_eq!((part.evaluations(), last.load(Ordering::Relaxed)), (1026, 1026));
        let part = Permutation::new(5_000).threads(threads).observe(see).part(1, 4).run(&game).expect("a part");
        assert_eq!(part.evaluations(), last.load(Ordering::Relaxed));
        let stop = |_: &Progress| ControlFlow::Break(());
        let stopped = Exact::new().threads(threads).batch(1).observe(stop).part(1, 4).run(&game);
        assert!(matches!(stopped, Err(Error::Stopped { total: 1026, .. })), "{stopped:?}");
        let stopped = Permutation::new(5_000).threads(threads).observe(stop).part(1, 4).run(&game);
        assert!(matches!(stopped, Err(Error::Stopped { total: 1256, .. })), "{stopped:?}");
    }
}

#[test]
fn sums_that_overflow_are_found_at_the_end() -> Result<(), Error> {
    let game = from_fn(12, |s| if s.len() % 2 == 0 { f64::MAX } else { -f64::MAX });
    let whole = said(exact(&game));
    let mut all = Exact::new().part(0, 2).run(&game)?;
    all.merge(Exact::new().part(1, 2).run(&game)?)?;
    assert_eq!(said(all.finish()?.values(&Semivalue::shapley())), whole);
    Ok(())
}
