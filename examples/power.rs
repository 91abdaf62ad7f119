//! How much power has each state in the election of the president of the United States?
//!
//! The Electoral College after the census of 2010 (elections from 2012 to 2020): 51 players, 538 votes, 270 win. States are
//! taken to vote as one, which Maine and Nebraska need not.
//!
//! ```text
//! cargo run --release --example power
//! ```

#[path = "common/states.rs"]
mod states;

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use shapley::games::WeightedVoting;
use states::{QUOTA, STATES};

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let college = WeightedVoting::new(QUOTA, STATES.map(|(_, votes)| votes))?;
    let shapley = college.shapley_shubik();
    let banzhaf = college.banzhaf();
    let elapsed = start.elapsed();

    let votes: u64 = college.weights().iter().sum();
    // Normalised, so that it can stand beside the others.
    let swings: f64 = banzhaf.iter().sum();
    let share = |part: f64| format!("{:.3}%", 100.0 * part);
    let mut rows: Vec<usize> = (0..STATES.len()).collect();
    // Of equal votes by name, as they are listed.
    rows.sort_by_key(|state| std::cmp::Reverse(STATES[*state].1));

    let mut out = std::io::stdout().lock();
    writeln!(out, "{:20}  votes  of {votes:>5}  Shapley-Shubik   Banzhaf  power per vote", "state")?;
    for state in rows {
        let (name, own) = STATES[state];
        let of_votes = own as f64 / votes as f64;
        writeln!(
            out,
            "{name:20}  {own:5}  {:>8}  {:>14}  {:>8}  {:14.4}",
            share(of_votes),
            share(shapley[state]),
            share(banzhaf[state] / swings),
            shapley[state] / of_votes,
        )?;
    }
    writeln!(out)?;
    writeln!(out, "{QUOTA} of {votes} votes win")?;
    writeln!(out, "Shapley-Shubik: the share of all orders in which the state makes a losing coalition win")?;
    writeln!(out, "Banzhaf: the state's share of all swings; power per vote: Shapley-Shubik over the share of votes")?;
    writeln!(out, "both indices of 51 players in {:.1} ms", 1e3 * elapsed.as_secs_f64())?;
    Ok(())
}
