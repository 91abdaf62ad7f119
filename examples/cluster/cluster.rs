//! What the links of a network, and those who send over it, are worth: one answer, made by as many machines as there
//! are.
//!
//! ```sh
//! mpirun -n 4 cargo run --release -p cluster
//! ```
//!
//! The network is Abilene, the backbone of American universities, with its eleven cities and fourteen links (Li,
//! Alderson, Willinger & Doyle 2004, "A first-principles approach to understanding the Internet's router-level
//! topology", *SIGCOMM*, 3–14, doi:10.1145/1015467.1015470), all taken to carry 10 Gbit/s in each direction, as nearly
//! all did. Suppose that each link belongs to somebody else, and that four customers pay by the amount that is carried
//! for them; how much they have to send is made up. A coalition of owners and customers carries as much as its links
//! can: a linear programme, of which flow goes where. Eighteen players, 262 144 programmes.
//!
//! Each player's share of the traffic is printed once, by rank 0. It runs without `mpirun` too, as one rank. `--
//! --store DIRECTORY` keeps what is done in a directory: kill it, and start it again on another number of ranks.

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome};
use shapley::mpi::{self, Cluster, World};
use shapley::{Attribution, Cached, Coalition, Exact, TryGame, try_from_fn};

const CITIES: [&str; 11] = [
    "Seattle",
    "Sunnyvale",
    "Los Angeles",
    "Denver",
    "Kansas City",
    "Houston",
    "Chicago",
    "Indianapolis",
    "Atlanta",
    "Washington",
    "New York",
];

const LINKS: [[usize; 2]; 14] =
    [[0, 1], [0, 3], [1, 2], [1, 3], [2, 5], [3, 4], [4, 5], [4, 7], [5, 8], [6, 7], [7, 8], [6, 10], [8, 9], [9, 10]];

/// In each direction, in Gbit/s.
const CAPACITY: f64 = 10.0;

/// Who sends how much, in Gbit/s, from where to where.
const CUSTOMERS: [(usize, usize, f64); 4] = [(0, 10, 8.0), (2, 9, 12.0), (1, 6, 9.0), (3, 8, 7.0)];

const PLAYERS: usize = LINKS.len() + CUSTOMERS.len();

/// Changes whenever the game does.
const FINGERPRINT: &str = "Abilene, four customers, first version";

fn main() -> Result<(), Box<dyn Error>> {
    let world = World::start()?;
    let directory = arguments()?;
    let game = try_from_fn(PLAYERS, carried);
    // What the observer is shown is what all ranks have done; it is called on rank 0 alone.
    let exact = Exact::new().threads(1).observe(|progress| {
        eprint!("\r{} of {} coalitions", progress.evaluations, progress.total);
        let _ = std::io::stderr().flush();
        ControlFlow::Continue(())
    });
    let phi = match &directory {
        None => Cluster::new(&world).exact(&game, &exact)?,
        Some(directory) => {
            let store = mpi::store(&world, directory, FINGERPRINT)?;
            if world.is_first() {
                eprintln!("{} of {} values are there", store.known(), 1 << PLAYERS);
            }
            let cluster = Cluster::new(&world).fingerprint(FINGERPRINT).directory(directory);
            cluster.exact(&Cached::with_store(game.by_ref(), &store), &exact)?
        }
    };
    if world.is_first() {
        eprintln!();
        print(&phi, world.ranks());
    }
    Ok(())
}

fn print(phi: &Attribution<f64>, ranks: usize) {
    let link = LINKS.iter().map(|link| link.map(|city| CITIES[city]).join(" - "));
    let customer =
        CUSTOMERS.iter().map(|(from, to, sends)| format!("{} to {}, sends {sends}", CITIES[*from], CITIES[*to]));
    let mut rows: Vec<(String, f64)> = link.chain(customer).zip(phi.iter().copied()).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    println!("{:44}{:>8}{:>8}", "owner of a link, or customer", "Gbit/s", "share");
    for (name, value) in rows {
        println!("{name:44}{value:8.3}{:7.1}%", 100.0 * value / phi.grand());
    }
    println!("\n{:44}{:8.3}", "all of them carry", phi.grand());
    println!("{} linear programmes on {ranks} rank(s)", phi.evaluations());
}

/// The most that the links of a coalition carry for its customers.
fn carried(coalition: &Coalition) -> Result<f64, microlp::Error> {
    let mut problem = Problem::new(OptimizationDirection::Maximize);
    // The flows over a link, in one direction and the other.
    let mut flows: Vec<[Vec<microlp::Variable>; 2]> = vec![[Vec::new(), Vec::new()]; LINKS.len()];
    for (customer, &(from, to, sends)) in CUSTOMERS.iter().enumerate() {
        if !coalition.contains(LINKS.len() + customer) {
            continue;
        }
        let amount = problem.add_var(1.0, (0.0, sends));
        // Of each city: what leaves it, less what comes.
        let mut balance: Vec<Vec<(microlp::Variable, f64)>> = vec![Vec::new(); CITIES.len()];
        balance[from].push((amount, -1.0));
        balance[to].push((amount, 1.0));
        for (link, &[a, b]) in LINKS.iter().enumerate().filter(|(link, _)| coalition.contains(*link)) {
            for (direction, [start, end]) in [[a, b], [b, a]].into_iter().enumerate() {
                let flow = problem.add_var(0.0, (0.0, CAPACITY));
                balance[start].push((flow, 1.0));
                balance[end].push((flow, -1.0));
                flows[link][direction].push(flow);
            }
        }
        for terms in balance.iter().filter(|terms| !terms.is_empty()) {
            problem.add_constraint(terms, ComparisonOp::Eq, 0.0);
        }
    }
    for shared in flows.iter().flatten().filter(|shared| shared.len() > 1) {
        let terms: Vec<_> = shared.iter().map(|&flow| (flow, 1.0)).collect();
        problem.add_constraint(&terms, ComparisonOp::Le, CAPACITY);
    }
    // A coalition without customers has no programme to solve.
    if coalition.iter().all(|player| player < LINKS.len()) {
        return Ok(0.0);
    }
    match problem.solve()? {
        SolveOutcome::Solution(solution) => Ok(solution.objective()),
        SolveOutcome::Interrupted(_) => Err(microlp::Error::InternalError("no time limit was set".to_owned())),
    }
}

fn arguments() -> Result<Option<PathBuf>, Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        None => Ok(None),
        Some(word) if word == "--store" => {
            Ok(Some(arguments.next().ok_or("--store needs the name of a directory")?.into()))
        }
        Some(other) => Err(format!("{other:?} is not known: only --store DIRECTORY is").into()),
    }
}
