//! The proxy as in a task on Fargate: half a processor, 1 GiB, one thread, TLS towards the providers; with metering,
//! authentication, a log and a journal. The database and the providers are outside of its limits.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use claude_code_proxy::domain::RoutingStrategy;
use rustix::process::Signal;
use support::process::ServeProcess;
use support::{KeyWish, Surroundings};

use super::cgroup::{Group, Limits};
use crate::process;
use crate::speed::launch::Launched;
use crate::speed::stage::Target;

/// What a task has.
pub(super) const LIMITS: Limits = Limits { processor: 50, memory: 1 << 30 };
/// Developers with a user and a key of their own; more than that many share them.
const USERS: usize = 100;
/// As the stack sets it, because the load balancer keeps connections that long.
const KEEP_ALIVE: &str = "950s";

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Served {
    /// The plan, through the proxy.
    Plan,
    /// Bedrock, through the proxy, as when the plan is known to be limited.
    Bedrock,
    /// The upstream, with nothing in between, for what the machine itself takes.
    Itself,
}

impl Served {
    /// What the table calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plan => "the plan",
            Self::Bedrock => "Bedrock",
            Self::Itself => "none (direct)",
        }
    }

    fn routing(self) -> RoutingStrategy {
        if self == Self::Bedrock { RoutingStrategy::BedrockOnly } else { RoutingStrategy::PlanFirst }
    }
}

/// A running task with its surroundings. Dropped, it ends by itself.
#[derive(Debug)]
pub(super) struct Task {
    proxy: ServeProcess,
    /// Where each user sends its requests.
    pub(super) targets: Vec<Target>,
    group: Group,
    // Held for their drop, after what uses them.
    _upstream: Launched,
    _around: Surroundings,
    _folder: tempfile::TempDir,
}

/// What it has taken so far, or has at the moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) processor: Duration,
    pub(super) throttled: Duration,
    pub(super) resident: u64,
}

impl Task {
    /// Starts it in this cgroup.
    pub(super) async fn start(served: Served, group: Group) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (upstream, secured) = Launched::start_secured(folder.path())?;
        let url = format!("https://{}", secured.address);
        let around = Surroundings::start()
            .await
            .with("PLAN_BASE_URL", &url)
            .with("BEDROCK_ENDPOINT_URL", &url)
            .with("SSL_CERT_FILE", secured.certificate.to_string_lossy())
            .with("WORKER_THREADS", "1")
            .with("METER_PLAN", "true")
            .with("KEEP_ALIVE_TIMEOUT", KEEP_ALIVE)
            .with("USAGE_JOURNAL_DIR", folder.path().join("journal").to_string_lossy());
        std::fs::create_dir(folder.path().join("journal"))?;
        let proxy = ServeProcess::start_in(&around, &group.doors()).await;
        let address = proxy.url().strip_prefix("http://").context("an address")?.parse()?;
        let mut targets = Vec::new();
        for _ in 0..USERS {
            let prefix = format!("/ak/{}", around.issue(KeyWish::routed(served.routing())).await.text);
            targets.push(Target { address, prefix, process: proxy.id() });
        }
        if served == Served::Itself {
            targets = vec![Target { address: upstream.address, prefix: String::new(), process: upstream.id() }];
        }
        Ok(Self { proxy, targets, group, _upstream: upstream, _around: around, _folder: folder })
    }

    /// What it has taken until now; an error once it has ended.
    pub(super) fn taken(&self) -> Result<Taken> {
        let id = self.proxy.id();
        Ok(Taken {
            processor: process::processor_time(id)?,
            throttled: self.group.throttled()?,
            resident: process::resident(id)?,
        })
    }

    /// The most memory that its cgroup has had; not every kernel knows.
    pub(super) fn peak(&self) -> Option<u64> {
        self.group.peak().ok()
    }

    /// Ends it, with everything stored.
    pub(super) async fn stop(self) -> Result<()> {
        self.proxy.signal(Signal::TERM);
        let code = self.proxy.slow_exit_code().await;
        ensure!(code == Some(0), "the proxy ended with {code:?}");
        Ok(())
    }
}
