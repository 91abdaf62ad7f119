//! Whatever the number of ranks, the result has the bits of one process.

use std::time::Duration;

use shapley::{Error, Exact, Index, Semivalue, exact as exact_here, from_fn};

use crate::common::masks::{mask_of, pseudo};
use crate::games::{
    exact, kernel_shap, noise, of_attribution, of_estimate, of_interactions, samplers, slow, smooth, surrogate,
};
use crate::job::run;

/// What one process says, line by line as [`crate::ranks::bits`] does.
fn here() -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    let mut say = |name: &str, what: String| lines.push(format!("{name}: {what}"));
    say("exact 18", of_attribution(&exact_here(&noise(18))?));
    let summary = exact().summary(&noise(18), 1)?;
    say("banzhaf", of_attribution(&summary.values(&Semivalue::banzhaf())?));
    say("beta", of_attribution(&summary.values(&Semivalue::beta(4.0, 1.0)?)?));
    say("pairs", of_interactions(&exact().interactions(&noise(14), Index::Shapley, 2)?));
    for players in [1, 2, 3, 11] {
        say("small", of_attribution(&exact_here(&noise(players))?));
    }
    say("slow", of_attribution(&exact_here(&slow(10, Duration::ZERO))?));
    say("threads", of_attribution(&Exact::new().threads(2).batch(7).solve(&noise(13))?));
    for (name, sampler) in samplers() {
        say(name, of_estimate(&sampler.estimate(&smooth(9))?));
    }
    say("one player", of_estimate(&samplers()[0].1.estimate(&smooth(1))?));
    say("surrogate", of_estimate(&surrogate().estimate(&smooth(12))?));
    say("kernel_shap", of_estimate(&kernel_shap().estimate(&smooth(12))?));
    say("self-dual", of_estimate(&surrogate().estimate(&from_fn(13, |s| f64::from(u8::from(s.len() > 6))))?));
    say("surrogate of all", of_estimate(&surrogate().estimate(&smooth(6))?));
    let outputs = exact_here(&from_fn(11, |s| [s.len() as f64, pseudo(1, mask_of(s))]))?;
    say("outputs", format!("{:?}", outputs.values()));
    Ok(lines)
}

pub(crate) fn bits_of_one_process() {
    let here = here().expect("one process succeeds");
    for ranks in [1, 2, 3, 5] {
        let ended = run(ranks, &["bits"]);
        let there = ended.alike(ranks);
        assert_eq!(there.len(), here.len());
        for (there, here) in there.iter().zip(&here) {
            assert_eq!(there, here, "{ranks} ranks");
        }
    }
}

/// The same in this process, which is one rank.
pub(crate) fn one_rank_without_mpirun() {
    assert_eq!(crate::ranks::bits_here(), here().expect("one process succeeds"));
}

/// With a precision to reach, no more is evaluated than a round beyond where one process stops; ranks look at the same
/// samples.
pub(crate) fn rounds_end_where_one_process_looks() {
    for ranks in [1, 3] {
        let ended = run(ranks, &["precision"]);
        let evaluations: u64 = ended.said.values().map(|said| said[0].parse::<u64>().expect("a number")).sum();
        let results: Vec<&String> = ended.said.values().map(|said| &said[1]).collect();
        let here = shapley::Permutation::new(100_000).seed(7).threads(1).precision(0.12).estimate(&smooth(9));
        let here = here.expect("an estimate");
        assert!(results.iter().all(|result| **result == of_estimate(&here)));
        assert_eq!(here.stopped(), shapley::Stopped::Precision);
        let samples = here.permutations() / 2;
        let (next, ends) = (samples + samples / 2, 2 * ranks as u64);
        assert!(
            samples >= 45 && (2 + 16 * samples..=ends + 16 * next).contains(&evaluations),
            "{evaluations} of {samples}"
        );
    }
}

pub(crate) fn observers_and_deadlines() {
    for ranks in [1, 3] {
        let ended = run(ranks, &["observers"]);
        for (rank, said) in &ended.said {
            assert_eq!(said[..3], ended.said[&0][..3]);
            assert!(said[0].starts_with("the solver failed on rank 0: stopped by the observer after "), "{}", said[0]);
            assert!(said[0].ends_with(" of 4096 evaluations"), "{}", said[0]);
            assert!(said[1].starts_with("Observer ") && said[2].starts_with("Deadline "), "{said:?}");
            assert_eq!(said[3], "Observer");
            // The observer is called on rank 0 alone.
            let calls: u64 = said[4].parse().expect("a number");
            assert_eq!(calls > 0, *rank == 0, "{calls} calls on rank {rank}");
            let seconds: f64 = said[5].parse().expect("a number");
            assert!(seconds < 3.0, "{seconds} s for a deadline of 0.3 s");
        }
    }
}
