//! What remembering costs.
//!
//! `cargo bench -p shapley-benches --bench store` prints criterion's times of single calls, and then tables:
//!
//! * **memory**: hits a second on one and two threads, and bytes an entry by an allocator that counts, at 10 million
//!   entries: the store, one by one and in batches, beside `quick_cache` and `dashmap` with keys of two words, which is
//!   the smallest that they can have for 128 players;
//! * **a cached game**, of no cost: nanoseconds that the cache adds to an evaluation, and `exact` through a warm cache
//!   against `exact` on a table;
//! * **disk**: durable values a second in batches of 1000 and one by one, reads a second, bytes a value,
//!   beside what the disk takes for a plain append.

mod common;

use std::hint::black_box;
use std::time::Duration;

use common::{paired, time};
use criterion::{Criterion, Throughput};
use dashmap::DashMap;
use foldhash::fast::FixedState;
use peak_alloc::PeakAlloc;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use shapley::store::Store;
use shapley::{Cached, Coalition, MemoryStore, Permutation, Table, TryGame, exact, from_fn};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const ENTRIES: usize = 10_000_000;
const QUERIES: usize = 1 << 20;
const BATCH: usize = 512;

/// A stream of words that look random (SplitMix64).
fn word(number: usize) -> u64 {
    let mut z = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The members of coalition `number`, as words.
fn key(players: usize, number: usize) -> [u64; 2] {
    let high = if players > 64 { word(2 * number + 1) >> (128 - players) } else { 0 };
    [word(2 * number) >> 64_usize.saturating_sub(players), high]
}

fn coalition(players: usize, number: usize) -> Coalition {
    let [low, high] = key(players, number);
    let bits = |word: u64, base: usize| (0..64).filter(move |k| word >> k & 1 == 1).map(move |k| base + k);
    Coalition::from_players(players, bits(low, 0).chain(bits(high, 64)))
}

/// Numbers of entries that are there, in an order that a cache line does not foresee.
fn queries(entries: usize) -> impl Iterator<Item = usize> {
    (0..QUERIES).map(move |k| word(k + (1 << 40)) as usize % entries)
}

/// The bytes that are held by what `make` makes.
fn bytes<R>(make: impl FnOnce() -> R) -> (R, usize) {
    let before = ALLOCATOR.current_usage();
    let made = make();
    (made, ALLOCATOR.current_usage() - before)
}

fn filled(players: usize, entries: usize) -> MemoryStore<f64> {
    let store = MemoryStore::unbounded();
    for number in 0..entries {
        let Ok(()) = store.insert(&coalition(players, number), &(number as f64));
    }
    store
}

/// Seconds that so many threads take, each for all queries.
fn on_threads(threads: usize, work: impl Fn() -> f64 + Sync) -> Duration {
    time(|| {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
            workers.into_iter().map(|worker| worker.join().expect("no panic")).sum::<f64>()
        })
    })
}

/// Prints a row of the table of memory: hits are of the best of some rounds, on each thread.
fn memory_row(what: &str, players: usize, bytes: usize, work: impl Fn() -> f64 + Sync) {
    let rate = |threads: usize| {
        let best = (0..5).map(|_| on_threads(threads, &work)).min().expect("some rounds");
        QUERIES as f64 / best.as_secs_f64() / 1e6
    };
    let each = bytes as f64 / ENTRIES as f64;
    println!("| {players} | {what} | {:.1} | {:.1} | {each:.1} |", rate(1), rate(2));
}

fn memory() {
    println!("\n| n | what | M hits/s a thread, 1 thread | 2 threads | bytes an entry |\n|--:|---|--:|--:|--:|");
    for players in [128, 64] {
        let asked: Vec<Coalition> = queries(ENTRIES).map(|number| coalition(players, number)).collect();
        let (store, held) = bytes(|| filled(players, ENTRIES));
        memory_row("MemoryStore, one by one", players, held, || {
            asked.iter().filter_map(|coalition| store.get(coalition).ok().flatten()).sum()
        });
        memory_row("MemoryStore, batches of 512", players, held, || {
            let mut values = Vec::new();
            let mut sum = 0.0;
            for batch in asked.chunks(BATCH) {
                values.clear();
                let Ok(()) = store.get_many(batch, &mut values);
                sum += values.iter().flatten().sum::<f64>();
            }
            sum
        });
    }
    let asked: Vec<[u64; 2]> = queries(ENTRIES).map(|number| key(128, number)).collect();
    {
        let (map, held) = bytes(|| {
            let map = DashMap::with_hasher(FixedState::default());
            for number in 0..ENTRIES {
                map.insert(key(128, number), number as f64);
            }
            map
        });
        memory_row("dashmap", 128, held, || asked.iter().filter_map(|key| map.get(key).map(|value| *value)).sum());
    }
    {
        let (cache, held) = bytes(|| {
            let cache: Cache<[u64; 2], f64, UnitWeighter, FixedState> = Cache::with(
                ENTRIES * 2,
                2 * ENTRIES as u64,
                UnitWeighter,
                FixedState::default(),
                DefaultLifecycle::default(),
            );
            (0..ENTRIES).for_each(|number| cache.insert(key(128, number), number as f64));
            cache
        });
        memory_row("quick_cache", 128, held, || asked.iter().filter_map(|key| cache.get(key)).sum());
    }

    println!("\n| n | entries | bytes an entry | most held while it grew |\n|--:|--:|--:|--:|");
    for (players, entries) in [
        (128, 1_000_000),
        (128, 1_500_000),
        (128, 2_000_000),
        (128, 3_000_000),
        (64, 1_000_000),
        (22, 100_000),
        (22, 1_000_000),
    ] {
        ALLOCATOR.reset_peak_usage();
        let before = ALLOCATOR.current_usage();
        let (store, held) = bytes(|| filled(players, entries));
        let entries = store.len() as f64;
        let peak = ALLOCATOR.peak_usage() - before;
        println!("| {players} | {entries} | {:.1} | {:.1} |", held as f64 / entries, peak as f64 / entries);
    }
}

fn cached() {
    println!("\n| what | against | ns | ns | ratio |\n|---|---|--:|--:|--:|");
    let row = |what: &str, against: &str, evaluations: usize, (a, b, ratio): (Duration, Duration, f64)| {
        let each = |duration: Duration| duration.as_secs_f64() * 1e9 / evaluations as f64;
        println!("| {what} | {against} | {:.2} | {:.2} | {ratio:.2} |", each(a), each(b));
    };
    let one_thread = shapley::Exact::new().threads(1);
    for players in [20, 24] {
        let all = 1 << players;
        let value = |s: &Coalition| s.mask().map_or(0.0, |mask| mask as f64);
        let game = from_fn(players, value);
        let table = Table::tabulate(&game).expect("finite");
        let solve = |game: &dyn Fn() -> f64| time(game);
        let plain = || one_thread.solve(&game).expect("finite")[0];
        let cold = || one_thread.solve(&Cached::new(&game)).expect("finite")[0];
        let warm = Cached::new(&game);
        let _ = exact(&warm).expect("finite");
        let through_warm = || one_thread.solve(&warm).expect("finite")[0];
        let on_table = || one_thread.solve(&table).expect("finite")[0];
        let rounds = if players == 20 { 21 } else { 5 };
        let n = format!("exact, n = {players}");
        row(&format!("{n}, cold cache"), "no cache", all, paired(rounds, || solve(&cold), || solve(&plain)));
        row(&format!("{n}, warm cache"), "table", all, paired(rounds, || solve(&through_warm), || solve(&on_table)));
        // All but one value: nothing is read as a table.
        let nearly = Cached::new(&game);
        (1..all as u64).for_each(|mask| {
            let _ = nearly.try_value(&Coalition::from_mask(players, mask));
        });
        let mut values = Vec::new();
        let batches: Vec<Vec<Coalition>> = (1..all as u64)
            .collect::<Vec<_>>()
            .chunks(BATCH)
            .map(|masks| masks.iter().map(|&mask| Coalition::from_mask(players, mask)).collect())
            .collect();
        let hits = time(|| {
            for batch in &batches {
                values.clear();
                nearly.try_values(batch, &mut values).expect("finite");
            }
        });
        println!("| n = {players}, hits in batches of 512 | | {:.2} | | |", hits.as_secs_f64() * 1e9 / all as f64);
        let single = time(|| batches.iter().flatten().map(|s| nearly.try_value(s).expect("finite")).sum::<f64>());
        println!("| n = {players}, hits one by one | | {:.2} | | |", single.as_secs_f64() * 1e9 / all as f64);
    }
    for players in [20, 60, 200] {
        let game = from_fn(players, |s| s.len() as f64);
        let sampler = Permutation::new(1_000_000).threads(1);
        let plain = || time(|| sampler.estimate(&game).expect("finite"));
        let cold = || time(|| sampler.estimate(&Cached::new(&game)).expect("finite"));
        let warm = Cached::new(&game);
        let _ = sampler.estimate(&warm).expect("finite");
        let through_warm = || time(|| sampler.estimate(&warm).expect("finite"));
        let n = format!("permutation, n = {players}");
        row(&format!("{n}, cold cache"), "no cache", 1_000_000, paired(5, cold, plain));
        row(&format!("{n}, warm cache"), "no cache", 1_000_000, paired(5, through_warm, plain));
    }
}

fn criterion_benches(criterion: &mut Criterion) {
    let entries = 1_000_000;
    let store = filled(128, entries);
    let asked: Vec<Coalition> = queries(entries).take(BATCH).map(|number| coalition(128, number)).collect();
    let mut group = criterion.benchmark_group("store in memory, a million entries");
    group.sample_size(20).throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("get", |b| {
        b.iter(|| asked.iter().filter_map(|coalition| store.get(coalition).ok().flatten()).sum::<f64>());
    });
    let mut values = Vec::new();
    group.bench_function("get_many", |b| {
        b.iter(|| {
            values.clear();
            store.get_many(black_box(&asked), &mut values)
        });
    });
    group.finish();
}

/// A store in a file, on the disk that temporary files are on.
fn disk() {
    use shapley::DiskStore;
    use std::fs;
    use std::io::Write;

    const COMMITTED: usize = 1000;
    let directory = tempfile::tempdir().expect("a directory");
    // What the disk itself takes to be sure of a batch that is appended to a file: the floor of a commit.
    let mut raw = fs::File::create(directory.path().join("raw")).expect("a file");
    let appended = (0..50).map(|_| {
        time(|| {
            raw.write_all(&[7; COMMITTED * 32]).expect("room");
            raw.sync_data().expect("a disk");
        })
    });
    let mut appended: Vec<Duration> = appended.collect();
    appended.sort();
    println!("\nappending 32 kB to a file and waiting for the disk: {:.2?} (the median of 50)", appended[25]);

    println!(
        "\n| n | order | entries | durable values/s, batches of 1000 | waiting for each | reads/s, one by one | batches of 512 | bytes a value | open | verify |"
    );
    println!("|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (players, order) in [(20, "of masks"), (64, "random"), (128, "random")] {
        let entries = 1_000_000;
        let path = directory.path().join(format!("{players}.store"));
        let of = |number: usize| match order {
            "random" => coalition(players, number),
            _ => Coalition::from_mask(players, number as u64),
        };
        let rate = |count: usize, duration: Duration| count as f64 / duration.as_secs_f64();
        let all: Vec<Coalition> = (0..entries).map(of).collect();
        let values: Vec<f64> = (0..entries).map(|number| number as f64).collect();
        let written = time(|| {
            let store = DiskStore::open(&path, "bench").expect("a new file");
            for (coalitions, values) in all.chunks(COMMITTED).zip(values.chunks(COMMITTED)) {
                store.insert_many(coalitions, values).expect("room");
            }
            store.flush().expect("room");
        });
        let alone = directory.path().join("alone.store");
        let store = DiskStore::open(&alone, "bench").expect("a new file").commit_every(1);
        let single = time(|| all[..200].iter().zip(&values).for_each(|(s, v)| store.insert(s, v).expect("room")));
        drop(store);
        fs::remove_file(&alone).expect("a file");
        let size = size_on_disk(&fs::metadata(&path).expect("a file"));
        let mut store = None;
        let opened = time(|| store = Some(DiskStore::<f64>::open(&path, "bench").expect("a store")));
        let store = store.expect("it is open");
        let asked: Vec<Coalition> = queries(entries).take(200_000).map(of).collect();
        let sum = || asked.iter().filter_map(|s| store.get(s).expect("whole")).sum::<f64>();
        let one_by_one = (0..3).map(|_| time(sum)).min().expect("some rounds");
        let batches = || {
            let mut found = Vec::new();
            asked.chunks(BATCH).for_each(|batch| store.get_many(batch, &mut found).expect("whole"));
            assert!(found.iter().all(Option::is_some));
            found.len()
        };
        let in_batches = (0..3).map(|_| time(batches)).min().expect("some rounds");
        let mut found = None;
        let verified = time(|| found = Some(store.verify().expect("whole")));
        assert!(found.is_some_and(|found| found.whole));
        println!(
            "| {players} | {order} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} | {opened:.1?} | {verified:.1?} |",
            store.len(),
            rate(entries, written),
            rate(200, single),
            rate(asked.len(), one_by_one),
            rate(asked.len(), in_batches),
            size as f64 / store.len() as f64,
        );
    }
}

/// A file has holes, which take no room.
#[cfg(unix)]
fn size_on_disk(metadata: &std::fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.blocks() * 512
}

#[cfg(not(unix))]
fn size_on_disk(metadata: &std::fs::Metadata) -> u64 {
    metadata.len()
}

fn ratios() {
    memory();
    cached();
    disk();
}

fn main() {
    common::run(criterion_benches, ratios);
}
