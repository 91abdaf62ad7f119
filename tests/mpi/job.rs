//! Jobs: this program, started by `mpirun`.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What became of a job.
pub(crate) struct Ended {
    /// The exit code, if it was not killed.
    pub(crate) code: Option<i32>,
    /// What each rank said.
    pub(crate) said: BTreeMap<usize, Vec<String>>,
    pub(crate) took: Duration,
}

impl Ended {
    /// What all ranks said alike, if they did.
    pub(crate) fn alike(&self, ranks: usize) -> &[String] {
        assert_eq!(self.said.keys().copied().collect::<Vec<_>>(), (0..ranks).collect::<Vec<_>>(), "all ranks speak");
        let first = &self.said[&0];
        for (rank, said) in &self.said {
            assert_eq!(said, first, "rank {rank} says what rank 0 says");
        }
        first
    }
}

/// A job under way.
pub(crate) struct Job {
    child: Child,
    words: TempDir,
    begun: Instant,
}

impl Job {
    /// Starts ranks that do `what`.
    pub(crate) fn start(ranks: usize, what: &[&str]) -> Self {
        let words = tempfile::tempdir().expect("a directory for what the ranks say");
        let mut command = Command::new("mpirun");
        // As root, and with more ranks than cores, as machines that only test are used.
        command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        command.env("OMPI_MCA_rmaps_base_oversubscribe", "1").env("RAYON_NUM_THREADS", "2");
        command.args(["-n", &ranks.to_string()]).arg(std::env::current_exe().expect("a program knows where it is"));
        command.arg("--rank").arg(words.path()).args(what).stdin(Stdio::null());
        if std::env::var_os("SHAPLEY_MPI_SHOW").is_none() {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let child = command.spawn().expect("mpirun is there: Debian's openmpi-bin has it");
        Self { child, words, begun: Instant::now() }
    }

    /// What ranks have said so far.
    pub(crate) fn said(&self) -> BTreeMap<usize, Vec<String>> {
        let entries =
            fs::read_dir(self.words.path()).expect("it is there").map(|entry| entry.expect("an entry").path());
        entries
            .filter_map(|path| {
                let rank = path.file_name()?.to_str()?.parse().ok()?;
                let text = fs::read_to_string(&path).ok()?;
                Some((rank, text.lines().map(str::to_owned).collect()))
            })
            .collect()
    }

    /// Waits for its end. A job that does not end is a failure: it is killed, and the test fails.
    pub(crate) fn end(mut self, most: Duration) -> Ended {
        let status = loop {
            match self.child.try_wait().expect("it can be asked") {
                Some(status) => break status,
                None if self.begun.elapsed() > most => {
                    let said = self.said();
                    // mpirun passes it on to the ranks.
                    let _ = Command::new("kill").arg(self.child.id().to_string()).status();
                    std::thread::sleep(Duration::from_secs(2));
                    let _ = self.child.kill();
                    panic!("the job hangs after {most:?}; so far {said:#?}");
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        Ended { code: status.code(), said: self.said(), took: self.begun.elapsed() }
    }
}

/// Runs ranks that do `what` to the end, which must be a good one.
pub(crate) fn run(ranks: usize, what: &[&str]) -> Ended {
    let ended = Job::start(ranks, what).end(Duration::from_secs(60));
    assert_eq!(ended.code, Some(0), "{what:?} on {ranks} ranks: {:#?}", ended.said);
    ended
}
