//! The two providers: how a request is sent to each and what comes back, as it comes.

pub mod bedrock;
pub mod plan;

use std::error::Error as _;
use std::time::Duration;

use crate::config::TimeoutConfig;

/// Idle connections are closed before load balancers in between forget them.
const POOL_IDLE: Duration = Duration::from_mins(1);

/// Idle connections to a provider that are kept; a burst leaves as many behind as it had requests.
const POOL_IDLE_CONNECTIONS: usize = 128;
const H2_PING_EVERY: Duration = Duration::from_secs(20);
const H2_PONG_WITHIN: Duration = Duration::from_secs(10);

/// The one pool of HTTP connections that both providers share: rustls, no redirects, no decompression, no proxies from
/// the environment.
///
/// HTTP/1.1 only. Over HTTP/2 all requests to a provider would share one connection: its limit of streams (often 100)
/// would be the limit of the whole proxy, and one client that does not read would fill the window of all the others.
///
/// # Errors
/// When the system's certificates cannot be read.
pub fn http_client(timeouts: &TimeoutConfig) -> Result<reqwest::Client, reqwest::Error> {
    client(timeouts).http1_only().build()
}

/// A client that takes HTTP/2 where the server offers it, over one connection. For providers that give one connection
/// enough streams; several such clients share the load.
///
/// # Errors
/// When the system's certificates cannot be read.
pub fn http2_client(timeouts: &TimeoutConfig) -> Result<reqwest::Client, reqwest::Error> {
    client(timeouts)
        .http2_adaptive_window(true)
        // A connection that died in silence would otherwise be used until TCP gives up.
        .http2_keep_alive_interval(H2_PING_EVERY)
        .http2_keep_alive_timeout(H2_PONG_WITHIN)
        .build()
}

fn client(timeouts: &TimeoutConfig) -> reqwest::ClientBuilder {
    install_tls_provider();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(timeouts.connect)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(POOL_IDLE_CONNECTIONS)
        .tcp_nodelay(true)
}

/// Chooses the one provider of cryptography for TLS; needed once before any HTTP client is made.
pub fn install_tls_provider() {
    // Fails only when a provider is installed already, which is then the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The innermost cause of a failed call; the outer ones repeat it and name the URL.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut source = error.source();
    let mut text = error.to_string();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}
