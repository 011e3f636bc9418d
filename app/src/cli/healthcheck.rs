//! The role `healthcheck`: what a container runtime runs to see whether the proxy beside it serves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use crate::config::{Environment, ServerConfig};

const LIMIT: Duration = Duration::from_secs(4);

/// Asks `/health` and turns the answer into an exit code.
pub(super) async fn healthcheck(url: Option<String>) -> anyhow::Result<ExitCode> {
    let url = match url {
        Some(url) => url,
        None => own_url()?,
    };
    crate::upstream::install_tls_provider();
    let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build()?;
    let response =
        client.get(&url).send().await.with_context(|| format!("{url} gave no answer; does the proxy run?"))?;
    let status = response.status();
    anyhow::ensure!(status.is_success(), "{url} answered {status}: the proxy takes no requests at the moment");
    Ok(ExitCode::SUCCESS)
}

/// The proxy on this machine, at the port it was told to listen on.
fn own_url() -> anyhow::Result<String> {
    let mut env = Environment::of_process();
    let server = ServerConfig::read(&mut env);
    env.finish()?;
    let listen = server.context("LISTEN_ADDR cannot be read")?.listen;
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    Ok(format!("http://{}/health", SocketAddr::new(ip, listen.port())))
}
