//! How much power has each state in the election of the president of the United States?
//!
//! The Electoral College after the census of 2010 (elections from 2012 to 2020): 51 players, 538 votes, 270 win. States are
//! taken to vote as one, which Maine and Nebraska need not.
//!
//! ```text
//! cargo run --release --example power
//! ```

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use shapley::games::WeightedVoting;

/// A majority of 538.
const QUOTA: u64 = 270;

#[rustfmt::skip]
const STATES: [(&str, u64); 51] = [
    ("Alabama", 9), ("Alaska", 3), ("Arizona", 11), ("Arkansas", 6), ("California", 55), ("Colorado", 9),
    ("Connecticut", 7), ("Delaware", 3), ("District of Columbia", 3), ("Florida", 29), ("Georgia", 16), ("Hawaii", 4),
    ("Idaho", 4), ("Illinois", 20), ("Indiana", 11), ("Iowa", 6), ("Kansas", 6), ("Kentucky", 8), ("Louisiana", 8),
    ("Maine", 4), ("Maryland", 10), ("Massachusetts", 11), ("Michigan", 16), ("Minnesota", 10), ("Mississippi", 6),
    ("Missouri", 10), ("Montana", 3), ("Nebraska", 5), ("Nevada", 6), ("New Hampshire", 4), ("New Jersey", 14),
    ("New Mexico", 5), ("New York", 29), ("North Carolina", 15), ("North Dakota", 3), ("Ohio", 18), ("Oklahoma", 7),
    ("Oregon", 7), ("Pennsylvania", 20), ("Rhode Island", 4), ("South Carolina", 9), ("South Dakota", 3),
    ("Tennessee", 11), ("Texas", 38), ("Utah", 6), ("Vermont", 3), ("Virginia", 13), ("Washington", 12),
    ("West Virginia", 5), ("Wisconsin", 10), ("Wyoming", 3),
];

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
