//! What many ranks cost and gain: measured on this machine, and simulated for machines that are not here.
//!
//! ```sh
//! cargo bench -p shapley-benches --features mpi --bench cluster            # everything; it starts itself by mpirun
//! cargo bench -p shapley-benches --features mpi --bench cluster -- scaling # or large, messages, simulation
//! ```
//!
//! `docs/cluster.md` has what it printed.

mod simulation;

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use shapley::mpi::rsmpi::traits::{Communicator as _, Destination as _, Source as _};
use shapley::mpi::{Cluster, World};
use shapley::{Coalition, Exact, Game, Permutation, Table, exact, from_fn};

/// Each job is started so often, and the best counts: others use the machine too.
const TIMES: usize = 5;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.first().is_some_and(|word| word == "--rank") {
        let seconds = rank(&words[1], words.get(2).map_or(0, |word| word.parse().expect("a number")));
        if let Some(seconds) = seconds {
            println!("{seconds}");
        }
        return;
    }
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    if wanted("scaling") {
        scaling();
    }
    if wanted("large") {
        large();
    }
    if wanted("messages") {
        messages();
    }
    if wanted("simulation") {
        simulation::run();
    }
}

/// The best time of a job, in seconds, without its start and end.
fn job(ranks: usize, words: &[&str]) -> f64 {
    let one = || {
        let mut command = Command::new("mpirun");
        command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        command.env("OMPI_MCA_rmaps_base_oversubscribe", "1").args(["--bind-to", "none", "-n", &ranks.to_string()]);
        let output = command.arg(std::env::current_exe().expect("a path")).arg("--rank").args(words).output();
        let text = String::from_utf8(output.expect("mpirun is there").stdout).expect("text");
        text.trim().parse::<f64>().unwrap_or_else(|_| panic!("the job says {text:?}"))
    };
    (0..TIMES).map(|_| one()).fold(f64::INFINITY, f64::min)
}

/// What a rank does; rank 0 says how long it took.
fn rank(what: &str, rounds: u64) -> Option<f64> {
    let world = World::start().expect("MPI starts");
    let cluster = Cluster::new(&world);
    let exact = Exact::new().threads(1);
    let begun = Instant::now();
    match what {
        "busy" => drop(cluster.exact(&busy(14, rounds), &exact).expect("values")),
        "walks" => {
            let sampler = Permutation::new(16_000).threads(1);
            drop(cluster.permutation(&busy(20, rounds), &sampler).expect("an estimate"));
        }
        "messages" => return messages_of(&world),
        "large" => drop(cluster.exact(&cheap(30), &exact).expect("values")),
        other => panic!("no job is called {other}"),
    }
    world.is_first().then(|| begun.elapsed().as_secs_f64())
}

/// Seconds a message of three kilobytes between two ranks, there and back again and again.
fn messages_of(world: &World) -> Option<f64> {
    const COUNT: u32 = 20_000;
    let mut bytes = vec![0_u8; 3000];
    let other = world.process_at_rank(1 - world.rank() as i32);
    let begun = Instant::now();
    for _ in 0..COUNT {
        if world.is_first() {
            other.send(&bytes[..]);
            other.receive_into(&mut bytes[..]);
        } else {
            other.receive_into(&mut bytes[..]);
            other.send(&bytes[..]);
        }
    }
    world.is_first().then(|| begun.elapsed().as_secs_f64() / f64::from(2 * COUNT))
}

/// Work that a compiler cannot leave out.
fn spin(rounds: u64) -> u64 {
    (0..rounds).fold(1, |state, _| black_box(state * 6_364_136_223_846_793_005_u64 + 1))
}

/// A game of which an evaluation takes so many rounds of work.
fn busy(players: usize, rounds: u64) -> impl Game<Value = f64> {
    from_fn(players, move |s: &Coalition| (s.len() as f64).sqrt() + (spin(rounds) >> 63) as f64)
}

/// A game of a few nanoseconds.
fn cheap(players: usize) -> impl Game<Value = f64> {
    from_fn(players, |s: &Coalition| f64::from((s.mask().unwrap_or(0) & 0x2555_5555).count_ones()).sqrt())
}

/// The rounds of work that take so long, at best.
fn rounds(time: Duration) -> u64 {
    let rounds = 1_000_000;
    let took = || {
        let begun = Instant::now();
        black_box(spin(rounds));
        begun.elapsed()
    };
    let best = (0..20).map(|_| took()).min().unwrap_or(Duration::from_secs(1));
    (rounds as f64 * time.as_secs_f64() / best.as_secs_f64()) as u64
}

fn scaling() {
    let rounds = rounds(Duration::from_micros(100)).to_string();
    println!("A game of 100 microseconds, one thread a rank; the best of {TIMES}:");
    for (name, what) in [("exact, 14 players", "busy"), ("16 000 evaluations of walks, 20 players", "walks")] {
        let [one, two] = [1, 2].map(|ranks| job(ranks, &[what, &rounds]));
        println!("  {name}: 1 rank {one:.3} s, 2 ranks {two:.3} s: {:.2} times", one / two);
    }
}

fn large() {
    let begun = Instant::now();
    drop(exact(&from_fn(1, |_| 0.0)));
    let start = begun.elapsed();
    let here = || {
        let begun = Instant::now();
        drop(black_box(Exact::new().threads(2).solve(&cheap(30)).expect("values")));
        begun.elapsed().as_secs_f64()
    };
    let here = (0..TIMES).map(|_| here()).fold(f64::INFINITY, f64::min);
    let there = job(2, &["large"]);
    println!("Exact, 30 players, a game of a few nanoseconds; the best of {TIMES} (the pool starts in {start:?}):");
    println!(
        "  one process, 2 threads {here:.3} s; 2 ranks, 1 thread each {there:.3} s: {:.2} times as long",
        there / here
    );
}

/// The best of many, in seconds.
fn best(mut what: impl FnMut()) -> f64 {
    let mut one = || {
        let begun = Instant::now();
        what();
        begun.elapsed().as_secs_f64()
    };
    (0..20).map(|_| one()).fold(f64::INFINITY, f64::min)
}

/// The bytes of a message, and the seconds that reading it takes.
fn message<T: Serialize + DeserializeOwned>(what: &T) -> (usize, f64) {
    let bytes = postcard::to_stdvec(what).expect("a message");
    (bytes.len(), best(|| drop(black_box(postcard::from_bytes::<T>(&bytes).expect("what was sent")))))
}

fn messages() {
    println!("Answers, as rank 0 gets them, and what it does with each:");
    for (players, of) in [(20, 256), (24, 64), (30, 2048), (30, 64)] {
        // Values that cost nothing: of the last players' shares the sums are as many.
        let game = from_fn(players, |s: &Coalition| s.len() as f64);
        let part = |k| Exact::new().part(k, of).run(&game).expect("a part");
        let (mine, theirs) = (part(2), part(3));
        let (bytes, read) = message(&theirs);
        let clone = best(|| drop(black_box(mine.clone())));
        let merge = best(|| mine.clone().merge(&theirs).expect("parts of one game")) - clone;
        println!(
            "  exact, {players} players, {} of {of}: {bytes} bytes, {:.0} us to read, {:.0} us to merge",
            if of > 256 { "a block" } else { "a part" },
            read * 1e6,
            merge.max(0.0) * 1e6
        );
    }
    for players in [20, 100, 1000] {
        let game = from_fn(players, |s: &Coalition| s.len() as f64);
        let sampler = Permutation::new(2 + 64 * 2 * (players as u64 - 1)).threads(1);
        let part = |k| sampler.clone().part(k, 4).run(&game).expect("a part");
        let (mine, theirs) = (part(2), part(3));
        let (bytes, read) = message(&theirs);
        let clone = best(|| drop(black_box(mine.clone())));
        let merge = best(|| mine.clone().merge(&theirs).expect("parts of one sampler")) - clone;
        println!(
            "  16 samples, {players} players: {bytes} bytes, {:.0} us to read, {:.0} us to merge",
            read * 1e6,
            merge.max(0.0) * 1e6
        );
    }
    println!("  a message of 3000 bytes to a rank beside: {:.1} us", job(2, &["messages"]) * 1e6);
    let values: Vec<f64> = (0..1 << 16).map(|k| f64::from(k).sqrt()).collect();
    let (bytes, read) = message(&values);
    let table = Table::new(values).expect("a table");
    let fold = best(|| drop(black_box(Exact::new().threads(1).solve(&table).expect("values"))));
    let per = |seconds: f64| seconds * 1e9 / f64::from(1 << 16);
    println!("  2^16 values: {bytes} bytes, {:.1} ns a value to read, {:.1} ns to add up", per(read), per(fold));
}
