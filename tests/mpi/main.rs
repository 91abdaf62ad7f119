//! Solvers on several ranks: the bits of one process, and what happens when something goes wrong.
//!
//! This program starts itself by `mpirun`, as the ranks of a job, and looks at what they print. Plain `cargo test` runs
//! what needs no `mpirun`: a job of one rank. `-- --ignored` runs the rest (`.ci/cluster` does), and
//! `-- --ignored WORD` what has the word in its name.

mod bits;
#[path = "../common"]
mod common {
    pub(crate) mod failing;
    pub(crate) mod masks;
}
mod faults;
mod games;
mod job;
mod lost;
mod ranks;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// A test by its name, and whether it needs `mpirun`.
type Test = (&'static str, bool, fn());

const TESTS: &[Test] = &[
    ("one_rank_without_mpirun", false, bits::one_rank_without_mpirun),
    ("bits_of_one_process", true, bits::bits_of_one_process),
    ("rounds_end_where_one_process_looks", true, bits::rounds_end_where_one_process_looks),
    ("observers_and_deadlines", true, bits::observers_and_deadlines),
    ("an_error_on_one_rank", true, faults::an_error_on_one_rank),
    ("a_panic_on_one_rank", true, faults::a_panic_on_one_rank),
    ("a_panic_outside_of_the_solvers", true, faults::a_panic_outside_of_the_solvers),
    ("the_first_of_several_failures", true, faults::the_first_of_several_failures),
    ("different_settings", true, faults::different_settings),
    ("different_games", true, faults::different_games),
    ("settings_that_make_no_sense", true, faults::settings_that_make_no_sense),
    ("stores_that_are_not_the_jobs", true, faults::stores_that_are_not_the_jobs),
    ("a_full_disk", true, faults::a_full_disk),
    ("files_that_are_not_the_jobs", true, lost::files_that_are_not_the_jobs),
    ("a_rank_killed_in_the_middle", true, lost::a_rank_killed_in_the_middle),
    ("sums_saved_without_a_store", true, lost::sums_saved_without_a_store),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--rank") {
        return ranks::run(&arguments[1..]);
    }
    let (flags, words): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    let all = flags.iter().any(|flag| *flag == "--ignored" || *flag == "--include-ignored");
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    if flags.iter().any(|flag| *flag == "--list") {
        TESTS.iter().for_each(|(name, _, _)| println!("{name}: test"));
        return;
    }
    let mut failed = 0;
    for (name, needs_mpirun, test) in TESTS.iter().filter(|(name, _, _)| wanted(name)) {
        if *needs_mpirun && !all {
            println!("test {name} ... ignored, it needs mpirun");
            continue;
        }
        let begun = Instant::now();
        let passed = catch_unwind(AssertUnwindSafe(test)).is_ok();
        println!("test {name} ... {} ({:.1} s)", if passed { "ok" } else { "FAILED" }, begun.elapsed().as_secs_f64());
        failed += usize::from(!passed);
    }
    if failed > 0 {
        println!("{failed} failed");
        std::process::exit(1);
    }
}
