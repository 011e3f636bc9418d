//! What befalls PostgreSQL: it is stopped, restarted, cut off and slowed, again and again.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use tokio::task::block_in_place;
use tokio::time::Instant;
use xtask::postgres::{Cluster, Stop};

use super::Dice;
use crate::link::{Link, Passage};

/// A server of our own, reached through a link that can be harmed.
#[derive(Debug)]
pub struct Server {
    cluster: Cluster,
    link: Link,
}

/// One kind of trouble.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outage {
    /// Stopped for a while.
    Stopped(Stop),
    /// Stopped and started at once.
    Restarted(Stop),
    /// Connections are reset, and there are no new ones.
    CutOff,
    /// Answers are lost, of commits above all, and then the connections.
    AnswersLost,
    /// Nothing comes through, and it seems to be there.
    Silent,
    /// Every piece takes its time.
    Slowed,
}

/// An outage that there was.
#[derive(Clone, Copy, Debug)]
pub struct Suffered {
    /// Which.
    pub outage: Outage,
    /// When the server was well for the last time.
    pub began: Instant,
    /// When it was well again; who uses it may notice later.
    pub ended: Instant,
}

impl Outage {
    /// One of each.
    pub const ALL: [Self; 8] = [
        Self::Stopped(Stop::Fast),
        Self::Stopped(Stop::Immediate),
        Self::Restarted(Stop::Fast),
        Self::Restarted(Stop::Immediate),
        Self::CutOff,
        Self::AnswersLost,
        Self::Silent,
        Self::Slowed,
    ];
}

impl Server {
    /// Starts one.
    pub async fn start() -> Self {
        let cluster = block_in_place(Cluster::for_outages).unwrap();
        let link = Link::start(address(cluster.url())).await;
        Self { cluster, link }
    }

    /// The URL through the link.
    pub fn url(&self) -> String {
        let direct = address(self.cluster.url()).to_string();
        self.cluster.url().replace(&direct, &self.link.address().to_string())
    }

    /// The URL of the server itself.
    pub fn direct_url(&self) -> &str {
        self.cluster.url()
    }

    /// Where the link listens.
    pub fn address(&self) -> SocketAddr {
        self.link.address()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.cluster.log().unwrap()
    }

    /// Goes from one outage to the next until `end`, well for so many milliseconds in between, and leaves the server well.
    pub async fn suffers_until(mut self, end: Instant, seed: u64, well: Range<usize>) -> (Self, Vec<Suffered>) {
        let (mut dice, mut suffered) = (Dice::of(seed, 1 << 42), Vec::new());
        loop {
            let mut round = Outage::ALL;
            dice.shuffle(&mut round);
            for outage in round {
                tokio::time::sleep(dice.milliseconds(well.start, well.end)).await;
                if Instant::now() >= end {
                    return (self, suffered);
                }
                let began = Instant::now();
                self.suffers(outage, &mut dice).await;
                suffered.push(Suffered { outage, began, ended: Instant::now() });
            }
        }
    }

    async fn suffers(&mut self, outage: Outage, dice: &mut Dice) {
        let lasts = dice.milliseconds(500, 5_000);
        match outage {
            Outage::Stopped(how) => {
                self.stop(how);
                tokio::time::sleep(lasts).await;
                self.start_again();
            }
            Outage::Restarted(how) => {
                self.stop(how);
                self.start_again();
            }
            Outage::CutOff => self.link_is(Passage::Cut, lasts).await,
            Outage::AnswersLost => {
                self.link_is(Passage::NoAnswers, lasts / 4).await;
                self.link_is(Passage::Cut, Duration::from_millis(50)).await;
            }
            Outage::Silent => self.link_is(Passage::Silent, lasts).await,
            Outage::Slowed => {
                let delay = dice.milliseconds(20, 400);
                self.link_is(Passage::Slow(delay), lasts).await;
            }
        }
        self.link.set(Passage::Open);
    }

    fn stop(&mut self, how: Stop) {
        block_in_place(|| self.cluster.stop(how)).unwrap();
    }

    fn start_again(&mut self) {
        block_in_place(|| self.cluster.start()).unwrap();
        self.link.leads_to(address(self.cluster.url()));
    }

    async fn link_is(&self, passage: Passage, lasts: Duration) {
        self.link.set(passage);
        tokio::time::sleep(lasts).await;
    }
}

/// Host and port of a URL.
fn address(url: &str) -> SocketAddr {
    let (_, after) = url.rsplit_once('@').unwrap();
    after.split_once('/').unwrap().0.parse().unwrap()
}
