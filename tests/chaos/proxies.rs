//! Two proxies, each with a journal of its own. One of them is killed now and then, and comes back on the same disk.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use support::process::ServeProcess;
use support::traffic::{Dice, Life, Log, files_of_records};
use support::{IssuedKey, Surroundings};
use tempfile::TempDir;
use tokio::time::Instant;

struct Place {
    disk: TempDir,
    interface: &'static str,
    /// The process, and the life that requests belong to which are sent to it; none while it is not back yet.
    process: Option<ServeProcess>,
    life: Option<Arc<Life>>,
}

pub(crate) struct Proxies {
    around: Arc<Surroundings>,
    keys: Vec<IssuedKey>,
    places: [Mutex<Place>; 2],
    logs: Mutex<Vec<Log>>,
}

impl Proxies {
    /// Starts both, on empty disks; they ask Bedrock through different interfaces.
    pub(crate) async fn start(around: Arc<Surroundings>, keys: Vec<IssuedKey>) -> Self {
        let place = |interface| {
            let disk = tempfile::tempdir().unwrap();
            Mutex::new(Place { disk, interface, process: None, life: None })
        };
        let this = Self { around, keys, places: [place("invoke"), place("messages")], logs: Mutex::default() };
        this.begin(0).await;
        this.begin(1).await;
        this
    }

    /// Starts a process on the disk of this place, and lets it have requests when it knows the keys.
    async fn begin(&self, index: usize) {
        let own = {
            let place = self.places[index].lock().unwrap();
            [
                ("USAGE_JOURNAL_DIR", place.disk.path().display().to_string()),
                ("BEDROCK_API", place.interface.to_owned()),
            ]
        };
        let process = ServeProcess::start_with(&self.around, &own).await;
        let life = Life::of(&process, &self.keys).await;
        self.logs.lock().unwrap().push(life.fate.log.clone());
        let mut place = self.places[index].lock().unwrap();
        place.life = Some(Arc::new(life));
        place.process = Some(process);
    }

    /// One that has requests; there always is one, because one is killed at a time.
    pub(crate) fn any(&self, dice: &mut Dice) -> Arc<Life> {
        let first = dice.below(2);
        let life = |index: usize| self.places[index].lock().unwrap().life.clone();
        life(first).or_else(|| life(1 - first)).unwrap()
    }

    /// Kills one and brings it back, again and again; returns how often.
    pub(crate) async fn are_killed_until(self: Arc<Self>, end: Instant, seed: u64) -> usize {
        let mut dice = Dice::of(seed, 1 << 40);
        for kills in 0.. {
            tokio::time::sleep_until(end.min(Instant::now() + dice.milliseconds(3_000, 9_000))).await;
            if Instant::now() >= end {
                return kills;
            }
            let index = dice.below(2);
            let (process, life) = {
                let mut place = self.places[index].lock().unwrap();
                (place.process.take().unwrap(), place.life.take().unwrap())
            };
            life.fate.killed_at.set(Instant::now()).unwrap();
            process.signal(Signal::KILL);
            assert_eq!(process.exit_code().await, None, "{life:?}");
            tokio::time::sleep(dice.milliseconds(0, 3_000)).await;
            self.begin(index).await;
        }
        unreachable!("nobody counts that far")
    }

    /// Ends both as a service manager does; gives back the logs of all processes that there were.
    pub(crate) async fn end(self) -> Vec<Log> {
        let places = self.places.map(|place| place.into_inner().unwrap());
        for place in &places {
            place.process.as_ref().unwrap().signal(Signal::TERM);
        }
        for place in places {
            assert_eq!(place.process.unwrap().slow_exit_code().await, Some(0));
            assert_eq!(files_of_records(place.disk.path()), [] as [PathBuf; 0], "nothing is left of what is stored");
        }
        self.logs.into_inner().unwrap()
    }
}
