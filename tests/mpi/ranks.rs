//! What a rank does, by the name of the test.

use std::error::Error as _;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shapley::mpi::{self, Cluster, World};
use shapley::{
    Attribution, Cached, Coalition, DiskStore, Exact, Index, Permutation, Progress, Semivalue, Surrogate, from_fn,
    try_from_fn,
};

use crate::common::failing::Failure;
use crate::common::masks::{mask_of, pseudo};
use crate::games::{
    exact, kernel_shap, noise, of_attribution, of_estimate, of_interactions, samplers, slow, smooth, surrogate,
};

/// What a rank says goes to a file of its own.
struct Words(File);

impl Words {
    fn say(&mut self, what: impl AsRef<str>) {
        writeln!(self.0, "{}", what.as_ref().replace('\n', " ")).expect("words can be written");
    }
}

/// `--rank DIRECTORY NAME [ARGUMENTS]`.
pub(crate) fn run(arguments: &[String]) {
    let world = World::start().expect("MPI starts");
    let file =
        OpenOptions::new().create(true).append(true).open(Path::new(&arguments[0]).join(world.rank().to_string()));
    let mut words = Words(file.expect("words can be written"));
    let more: Vec<&str> = arguments[2..].iter().map(String::as_str).collect();
    match arguments[1].as_str() {
        "bits" => bits(&world).into_iter().for_each(|line| words.say(line)),
        "precision" => precision(&world, &mut words),
        "observers" => observers(&world, &mut words),
        "error" => error(&world, &mut words, more[0].parse().expect("a rank")),
        "panic" => panics(&world, &mut words, more[0].parse().expect("a rank")),
        "panic-outside" => {
            assert!(world.rank() != 1, "on purpose");
            words.say(described(&Cluster::new(&world).exact(&noise(8), &Exact::new()).map(|_| ())));
        }
        "several" => several(&world, &mut words),
        "settings" => settings(&world, &mut words),
        "games" => games(&world, &mut words),
        "senseless" => senseless(&world, &mut words),
        "stores" => stores(&world, &mut words, Path::new(more[0])),
        "full" => full(&world, &mut words, Path::new(more[0]), Path::new(more[1])),
        "files" => files(&world, &mut words, Path::new(more[0]), more[1], if more.len() > 2 { 2 } else { 1 }),
        "stored" => stored(&world, &mut words, Path::new(more[0]), Path::new(more[1])),
        "sums" => sums(&world, &mut words, Path::new(more[0]), more[1]),
        other => panic!("no test of ranks is called {other}"),
    }
}

/// An error with all its causes, or that there is none.
fn described<T>(result: &Result<T, mpi::Error>) -> String {
    let Err(error) = result else { return "fine".to_owned() };
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// Without `mpirun`.
pub(crate) fn bits_here() -> Vec<String> {
    let world = World::start().expect("MPI starts");
    assert_eq!((world.rank(), world.ranks()), (0, 1));
    bits(&world)
}

pub(crate) fn bits(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |name: &str, what: String| lines.push(format!("{name}: {what}"));
    let cluster = Cluster::new(world);
    let fine = |result: Result<Attribution<f64>, mpi::Error>| of_attribution(&result.expect("a result"));
    say("exact 18", fine(cluster.exact(&noise(18), &exact())));
    let summary = cluster.summary(&noise(18), &exact(), 1).expect("a summary");
    say("banzhaf", of_attribution(&summary.values(&Semivalue::banzhaf()).expect("values")));
    say("beta", of_attribution(&summary.values(&Semivalue::beta(4.0, 1.0).expect("weights")).expect("values")));
    let summary = cluster.summary(&noise(14), &exact(), 2).expect("a summary");
    say("pairs", of_interactions(&summary.interactions(Index::Shapley).expect("interactions")));
    for players in [1, 2, 3, 11] {
        say("small", fine(cluster.exact(&noise(players), &exact())));
    }
    say("slow", fine(cluster.exact(&slow(10, Duration::from_micros(100)), &exact())));
    say("threads", fine(cluster.exact(&noise(13), &Exact::new().threads(1 + world.rank() % 2).batch(7))));
    for (name, sampler) in samplers() {
        let estimate = Cluster::new(world).permutation(&smooth(9), &sampler);
        say(name, of_estimate(&estimate.expect("an estimate")));
    }
    say(
        "one player",
        of_estimate(&Cluster::new(world).permutation(&smooth(1), &samplers()[0].1).expect("an estimate")),
    );
    say("surrogate", of_estimate(&Cluster::new(world).surrogate(&smooth(12), &surrogate()).expect("an estimate")));
    say(
        "kernel_shap",
        of_estimate(&Cluster::new(world).kernel_shap(&smooth(12), &kernel_shap()).expect("an estimate")),
    );
    let vote = from_fn(13, |s: &Coalition| f64::from(u8::from(s.len() > 6)));
    say("self-dual", of_estimate(&Cluster::new(world).surrogate(&vote, &surrogate()).expect("an estimate")));
    say(
        "surrogate of all",
        of_estimate(&Cluster::new(world).surrogate(&smooth(6), &surrogate()).expect("an estimate")),
    );
    let outputs =
        Cluster::new(world).exact(&from_fn(11, |s: &Coalition| [s.len() as f64, pseudo(1, mask_of(s))]), &Exact::new());
    say("outputs", format!("{:?}", outputs.expect("values").values()));
    lines
}

fn precision(world: &World, words: &mut Words) {
    let asked = AtomicU64::new(0);
    let inner = smooth(9);
    let game = from_fn(9, |s: &Coalition| {
        asked.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_micros(20));
        shapley::Game::value(&inner, s)
    });
    let sampler = Permutation::new(100_000).seed(7).threads(1).precision(0.12);
    let estimate = Cluster::new(world).permutation(&game, &sampler).expect("an estimate");
    words.say(asked.load(Ordering::Relaxed).to_string());
    words.say(of_estimate(&estimate));
}

fn observers(world: &World, words: &mut Words) {
    let calls = AtomicU64::new(0);
    let last = AtomicU64::new(0);
    let see = |progress: &Progress| {
        calls.fetch_add(1, Ordering::Relaxed);
        assert!(progress.evaluations <= progress.total, "{progress:?}");
        assert!(last.swap(progress.evaluations, Ordering::Relaxed) < progress.evaluations, "{progress:?}");
    };
    let breaks = |most: u64| {
        last.store(0, Ordering::Relaxed);
        move |progress: &Progress| {
            see(progress);
            if progress.evaluations > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    };
    let game = slow(12, Duration::from_micros(500));
    words.say(described(&Cluster::new(world).exact(&game, &exact().observe(breaks(500)))));
    let estimate = Cluster::new(world).permutation(&game, &Permutation::new(100_000).threads(1).observe(breaks(2_000)));
    words.say(of_estimate(&estimate.expect("an estimate")));
    let begun = Instant::now();
    let sampler = Permutation::new(10_000_000).threads(1).deadline(Duration::from_millis(300));
    words.say(of_estimate(&Cluster::new(world).permutation(&game, &sampler).expect("an estimate")));
    let took = begun.elapsed();
    let solver = Surrogate::new(400).threads(1).observe(breaks(100));
    let estimate = Cluster::new(world).surrogate(&game, &solver).expect("an estimate");
    words.say(format!("{:?}", estimate.stopped()));
    words.say(calls.load(Ordering::Relaxed).to_string());
    words.say(took.as_secs_f64().to_string());
}

/// A game that fails on one rank, at any coalition of more than one player there.
fn error(world: &World, words: &mut Words, rank: usize) {
    let here = world.rank();
    let game = try_from_fn(14, move |s: &Coalition| match s.len() {
        2..14 if here == rank => Err(Failure(7)),
        _ => {
            std::thread::sleep(Duration::from_micros(100));
            Ok(s.len() as f64)
        }
    });
    let sampler = Permutation::new(1_000_000).threads(1);
    let results = [
        Cluster::new(world).exact(&game, &exact()).map(|_| ()),
        Cluster::new(world).permutation(&game, &sampler).map(|_| ()),
        Cluster::new(world).surrogate(&game, &Surrogate::new(5_000).threads(1)).map(|_| ()),
    ];
    for result in results {
        let text = described(&result);
        // The error itself is where it happened.
        let Err(mpi::Error::Solve { source: shapley::Error::Game { coalition, source }, .. }) = result else {
            panic!("{text}")
        };
        assert_eq!(source.downcast_ref::<Failure>().is_some(), here == rank, "{text}");
        words.say(format!("{} {}", coalition.len(), text.replace(&coalition.to_string(), "S")));
    }
    // And all go on together.
    words.say(of_attribution(&Cluster::new(world).exact(&noise(8), &Exact::new()).expect("values")));
}

fn panics(world: &World, words: &mut Words, rank: usize) {
    let here = world.rank();
    let game = from_fn(14, move |s: &Coalition| {
        assert!(here != rank || s.len() < 3 || s.is_grand(), "no such model");
        std::thread::sleep(Duration::from_micros(100));
        s.len() as f64
    });
    words.say(described(&Cluster::new(world).exact(&game, &exact())));
    words.say(described(&Cluster::new(world).permutation(&game, &Permutation::new(1_000_000).threads(2))));
    words.say(described(&Cluster::new(world).kernel_shap(&game, &shapley::KernelShap::new(5_000).threads(1))));
    let fine = from_fn(14, |s: &Coalition| s.len() as f64);
    let observer = |_: &Progress| -> ControlFlow<()> { panic!("{} eyes", 2) };
    words.say(described(&Cluster::new(world).exact(&fine, &exact().observe(observer))));
    words.say(of_attribution(&Cluster::new(world).exact(&noise(8), &Exact::new()).expect("values")));
}

/// Every rank fails at v(N).
fn several(world: &World, words: &mut Words) {
    let here = world.rank() as u64;
    let game = try_from_fn(12, move |s: &Coalition| if s.is_grand() { Err(Failure(here)) } else { Ok(1.0) });
    words.say(described(&Cluster::new(world).exact(&game, &exact())));
    let nan = from_fn(12, |s: &Coalition| if s.is_empty() { f64::NAN } else { 1.0 });
    words.say(described(&Cluster::new(world).permutation(&nan, &Permutation::new(1_000))));
    let huge = from_fn(12, |s: &Coalition| if s.len().is_multiple_of(2) { f64::MAX } else { -f64::MAX });
    words.say(described(&Cluster::new(world).exact(&huge, &exact())));
}

/// Rank 1 is called otherwise.
fn settings(world: &World, words: &mut Words) {
    let odd = world.rank() == 1;
    let game = noise(6);
    let sampler = Permutation::new(1_000).seed(if odd { 8 } else { 7 });
    words.say(described(&Cluster::new(world).permutation(&game, &sampler)));
    let sampler = Permutation::new(if odd { 999 } else { 1_000 });
    words.say(described(&Cluster::new(world).permutation(&game, &sampler)));
    words.say(described(&Cluster::new(world).summary(&game, &exact(), if odd { 2 } else { 1 })));
    let cluster = Cluster::new(world);
    let named = cluster.clone().fingerprint(if odd { "yours" } else { "mine" });
    words.say(described(&named.exact(&game, &exact())));
    words.say(match odd {
        true => described(&cluster.permutation(&game, &Permutation::new(100))),
        false => described(&cluster.exact(&game, &exact())),
    });
    words.say(described(&Cluster::new(world).surrogate(&game, &Surrogate::new(50).seed(u64::from(odd)))));
    // One that makes no sense on one rank only.
    words.say(described(&Cluster::new(world).permutation(&game, &Permutation::new(if odd { 3 } else { 1_000 }))));
}

/// Rank 1 has another game.
fn games(world: &World, words: &mut Words) {
    let odd = world.rank() == 1;
    words.say(described(&Cluster::new(world).exact(&noise(if odd { 7 } else { 6 }), &Exact::new())));
    for bad in [0, 11] {
        let game = from_fn(11, move |s: &Coalition| {
            let value = s.len() as f64 + 0.5;
            if odd && s.len() == bad { f64::from_bits(value.to_bits() + 1) } else { value }
        });
        words.say(described(&Cluster::new(world).exact(&game, &Exact::new())));
        words.say(described(&Cluster::new(world).permutation(&game, &Permutation::new(1_000).threads(1))));
        words.say(described(&Cluster::new(world).surrogate(&game, &Surrogate::new(100).threads(1))));
    }
}

fn senseless(world: &World, words: &mut Words) {
    words.say(described(&Cluster::new(world).exact(&noise(0), &Exact::new())));
    words.say(described(&Cluster::new(world).exact(&noise(6), &exact().max_players(5))));
    words.say(described(&Cluster::new(world).summary(&noise(6), &exact(), 7)));
    words.say(described(&Cluster::new(world).permutation(&noise(6), &Permutation::new(10))));
    words.say(described(&Cluster::new(world).permutation(&noise(6), &Permutation::new(1_000).truncate(0.1))));
    words.say(described(&Cluster::new(world).permutation(&noise(6), &Permutation::new(1_000).precision(-1.0))));
    words.say(described(&Cluster::new(world).surrogate(&noise(6), &Surrogate::new(5))));
    for players in [usize::MAX, 1_000_000_000] {
        words.say(described(&Cluster::new(world).exact(&noise(players), &exact().max_players(players))));
        words.say(described(&Cluster::new(world).permutation(&noise(players), &Permutation::new(u64::MAX))));
        words.say(described(&Cluster::new(world).surrogate(&noise(players), &Surrogate::new(u64::MAX))));
    }
}

/// A directory that is in use, and one of another game; ranks that mean different ones.
fn stores(world: &World, words: &mut Words, directory: &Path) {
    let said = |result: Result<mpi::RankStore<f64>, mpi::Error>| {
        if let Err(mpi::Error::File { source, .. }) = &result {
            // The error itself is on rank 0, which unites them.
            assert_eq!(source.downcast_ref::<shapley::store::DiskError>().is_some(), world.is_first(), "{source}");
        }
        described(&result)
    };
    let first = mpi::store::<f64>(world, directory, "mine");
    words.say(described(&first));
    words.say(said(mpi::store(world, directory, "mine")));
    drop(first);
    words.say(said(mpi::store(world, directory, "yours")));
    let own = directory.join(if world.rank() == 1 { "b" } else { "a" });
    words.say(said(mpi::store(world, own, "mine")));
    words.say(said(mpi::store(world, directory, if world.rank() == 1 { "b" } else { "a" })));
    // One in a store and the others in a solver.
    for in_store in [0, 1] {
        words.say(match world.rank() == in_store {
            true => said(mpi::store(world, directory, "mine")),
            false => described(&Cluster::new(world).exact(&noise(6), &Exact::new())),
        });
    }
}

/// Rank 1's store is on a disk that is full soon; then that of rank 0's sums; then that of all stores.
fn full(world: &World, words: &mut Words, disk: &Path, room: &Path) {
    let place = if world.rank() == 1 { disk } else { room };
    let path = place.join(format!("own-{}.store", world.rank()));
    let store = DiskStore::<f64>::open(path, "full").expect("there is room for an empty store").commit_every(100);
    if world.rank() == 1 {
        std::fs::write(disk.join("filler"), vec![1_u8; 64 << 20]).expect_err("it is full now");
    }
    let game = slow(13, Duration::from_micros(100));
    let result = Cluster::new(world).exact(&Cached::with_store(&game, &store), &exact());
    let text = described(&result);
    let is_full = matches!(&result, Err(mpi::Error::Solve { rank: 1, source: shapley::Error::Game { .. } }));
    words.say(if is_full && text.contains("No space left on device") { "a full disk".to_owned() } else { text });
    drop(store);
    let text = described(
        &Cluster::new(world).directory(disk.join("sums")).save_every(Duration::ZERO).exact(&noise(16), &exact()),
    );
    words.say(if text.contains("rank 0 could not use") && text.contains("No space left") {
        "full sums".to_owned()
    } else {
        text
    });
    let text = described(&mpi::store::<f64>(world, disk.join("stores"), "full").map(|_| ()));
    words.say(if text.contains("rank 0 could not use") && text.contains("No space left") {
        "full stores".to_owned()
    } else {
        text
    });
}

fn files(world: &World, words: &mut Words, directory: &Path, seed: &str, factor: i128) {
    let sampler = Permutation::new(2_000).seed(seed.parse().expect("a seed")).threads(1);
    let game = shapley::games::Scaled::new(smooth(9), factor, 1).expect("a game");
    let cluster = Cluster::new(world).fingerprint("game 1").directory(directory);
    words.say(described(&cluster.permutation(&game, &sampler)));
    words.say(described(&cluster.exact(&noise(12), &exact())));
}

/// An exact answer with a store, of a game that takes a millisecond and writes down what it is asked.
fn stored(world: &World, words: &mut Words, directory: &Path, log: &Path) {
    let path = log.join(format!("rank-{}", world.rank()));
    let log = Mutex::new(OpenOptions::new().create(true).append(true).open(path).expect("a log"));
    let write = |line: &str| writeln!(log.lock().expect("nobody panics"), "{line}").expect("the log can be written");
    let store = mpi::store::<f64>(world, directory, "stored").expect("a store");
    words.say(format!("pid {} known {}", std::process::id(), store.known()));
    let game = from_fn(12, |s: &Coalition| {
        std::thread::sleep(Duration::from_millis(1));
        let mask = mask_of(s);
        // What was asked for before has been put in, one by one.
        if mask.is_multiple_of(32) && store.flush().is_ok() {
            write("safe");
        }
        write(&mask.to_string());
        pseudo(9, mask)
    });
    let cached = Cached::with_store(game, &store);
    let cluster = Cluster::new(world).directory(directory).save_every(Duration::from_millis(300));
    let phi = cluster.exact(&cached, &exact().batch(1)).expect("values");
    words.say(of_attribution(&phi));
}

/// Samples without a store, which count what they ask for.
fn sums(world: &World, words: &mut Words, directory: &Path, budget: &str) {
    let asked = AtomicU64::new(0);
    let game = from_fn(9, |s: &Coalition| {
        asked.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_micros(200));
        pseudo(3, mask_of(s))
    });
    words.say(format!("pid {}", std::process::id()));
    let sampler = Permutation::new(budget.parse().expect("a budget")).seed(4).threads(1);
    let cluster = Cluster::new(world).directory(PathBuf::from(directory)).save_every(Duration::from_millis(100));
    let estimate = cluster.permutation(&game, &sampler).expect("an estimate");
    words.say(asked.load(Ordering::Relaxed).to_string());
    words.say(of_estimate(&estimate));
}
