//! Messages between ranks, of any length, without a thread that waits for them: OpenMPI's own waiting takes a whole
//! core.

use std::collections::VecDeque;
use std::time::Duration;

use ::mpi::point_to_point::MatchedReceiveVec as _;
use ::mpi::request;
use ::mpi::topology::SimpleCommunicator;
use ::mpi::traits::{Communicator as _, Destination as _, Source as _};
use ::mpi::{Rank, Tag};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;

const TAG: Tag = 1;

/// A longer message goes in several, since MPI counts by 32 bits. The last one is shorter than this.
const CHUNK: usize = 1 << 28;

/// How long to sleep when there is nothing to do: longer and longer, since what has not come for long seldom comes at
/// once.
#[derive(Debug)]
pub(super) struct Pause(Duration);

impl Pause {
    const LEAST: Duration = Duration::from_micros(50);
    const MOST: Duration = Duration::from_millis(1);

    pub(super) fn new() -> Self {
        Self(Self::LEAST)
    }

    /// The next sleep.
    pub(super) fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Self::MOST);
        now
    }

    /// Something has come.
    pub(super) fn reset(&mut self) {
        self.0 = Self::LEAST;
    }
}

/// The ranks of a job, under a communicator of their own: no message of the user's is taken for one of ours, nor one of
/// a call for one of the next.
pub(super) struct Transport {
    world: SimpleCommunicator,
    /// What came while something else was being sent.
    inbox: VecDeque<(usize, Vec<u8>)>,
}

impl Transport {
    /// All ranks of `world` must come here.
    pub(super) fn new(world: &SimpleCommunicator) -> Self {
        Self { world: world.duplicate(), inbox: VecDeque::new() }
    }

    pub(super) fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    pub(super) fn ranks(&self) -> usize {
        self.world.size() as usize
    }

    /// Sends a message. It takes in what comes meanwhile, so that two ranks that send to each other do not wait for
    /// each other. (Only one of them may send several chunks: rank 0 sends units of work, which are short, until nobody
    /// has anything to say.)
    pub(super) fn send(&mut self, to: usize, bytes: &[u8]) {
        let mut rest = bytes;
        loop {
            let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
            let process = self.world.process_at_rank(to as Rank);
            request::scope(|scope| {
                let mut request = process.immediate_send_with_tag(scope, chunk, TAG);
                let mut pause = Pause::new();
                while let Err(unsent) = request.test() {
                    request = unsent;
                    match probe(&self.world) {
                        Some(message) => self.inbox.push_back(message),
                        None => std::thread::sleep(pause.next()),
                    }
                }
            });
            if chunk.len() < CHUNK {
                return;
            }
            rest = after;
        }
    }

    /// A message that is there already, and who sent it.
    pub(super) fn receive(&mut self) -> Option<(usize, Vec<u8>)> {
        self.inbox.pop_front().or_else(|| probe(&self.world))
    }

    /// The next message.
    pub(super) fn wait(&mut self) -> (usize, Vec<u8>) {
        let mut pause = Pause::new();
        loop {
            match self.receive() {
                Some(message) => return message,
                None => std::thread::sleep(pause.next()),
            }
        }
    }
}

fn probe(world: &SimpleCommunicator) -> Option<(usize, Vec<u8>)> {
    let (mut message, status) = world.any_process().immediate_matched_probe_with_tag(TAG)?.matched_receive_vec::<u8>();
    let source = status.source_rank();
    let mut last = message.len();
    while last == CHUNK {
        // The others of one rank come in their order.
        let (mut chunk, _) = world.process_at_rank(source).matched_probe_with_tag(TAG).matched_receive_vec::<u8>();
        last = chunk.len();
        message.append(&mut chunk);
    }
    Some((source as usize, message))
}

pub(super) fn encode(rank: usize, message: &impl Serialize) -> Result<Vec<u8>, Error> {
    postcard::to_stdvec(message).map_err(|error| Error::Message { rank, what: error.to_string() })
}

pub(super) fn decode<T: DeserializeOwned>(rank: usize, bytes: &[u8]) -> Result<T, Error> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(Error::Message { rank, what: format!("{} bytes are left over", rest.len()) }),
        Err(error) => Err(Error::Message { rank, what: error.to_string() }),
    }
}
