//! An upstream, and what stands before it: nothing, nginx, the proxy.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use support::process::ServeProcess;
use support::{KeyWish, Surroundings};

use super::launch::Launched;
use super::nginx::Nginx;

/// More streams at a time than any measurement opens.
const MAX_IN_FLIGHT: &str = "10000";

/// The way that a request takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// To the upstream itself.
    Direct,
    /// Through nginx.
    Nginx,
    /// Through the proxy.
    Proxy,
}

impl Way {
    /// All of them, in the order in which they are measured.
    pub(crate) const ALL: [Self; 3] = [Self::Direct, Self::Nginx, Self::Proxy];
    /// Those that can be measured themselves.
    pub(crate) const RELAYS: [Self; 2] = [Self::Nginx, Self::Proxy];
}

/// Where requests are sent.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The socket.
    pub(crate) address: SocketAddr,
    /// What stands before `/v1`.
    pub(crate) prefix: String,
    /// The process that is measured.
    pub(crate) process: u32,
}

/// Everything, running. Dropped, it ends by itself.
#[derive(Debug)]
pub(crate) struct Stage {
    proxy: ServeProcess,
    key: String,
    nginx: Nginx,
    upstream: Launched,
    // Held for their drop, after what uses them.
    _around: Surroundings,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// Starts it, with metering, authentication and logs as in production.
    pub(crate) async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let upstream = Launched::start()?;
        let (address, nginx) = (upstream.address, Nginx::start(upstream.address, folder.path()).await?);
        let around = Surroundings::start()
            .await
            .with("PLAN_BASE_URL", format!("http://{address}"))
            .with("BEDROCK_ENDPOINT_URL", format!("http://{address}"))
            .with("METER_PLAN", "true")
            .with("MAX_IN_FLIGHT", MAX_IN_FLIGHT);
        let proxy = ServeProcess::start(&around).await;
        let key = around.issue(KeyWish::default()).await.text;
        Ok(Self { proxy, key, nginx, upstream, _around: around, _folder: folder })
    }

    /// Where requests go that take this way.
    pub(crate) fn target(&self, way: Way) -> Result<Target> {
        let (address, prefix, process) = match way {
            Way::Direct => (self.upstream.address, String::new(), self.upstream.id()),
            Way::Nginx => (self.nginx.address(), String::new(), self.nginx.id()),
            Way::Proxy => {
                let address = self.proxy.url().strip_prefix("http://").context("an address")?.parse()?;
                (address, format!("/ak/{}", self.key), self.proxy.id())
            }
        };
        Ok(Target { address, prefix, process })
    }

    /// Ends it; the proxy with everything stored.
    pub(crate) async fn stop(self) -> Result<()> {
        self.proxy.signal(Signal::TERM);
        let code = self.proxy.slow_exit_code().await;
        ensure!(code == Some(0), "the proxy ended with {code:?}");
        Ok(())
    }
}
