//! The two providers: how a request is sent to each and what comes back, as it comes.

pub mod bedrock;
pub mod plan;

use std::time::Duration;

use crate::config::TimeoutConfig;

/// Idle connections are closed before load balancers in between forget them.
const POOL_IDLE: Duration = Duration::from_mins(1);

/// The one pool of HTTP connections that both providers share: rustls, no redirects, no decompression, no proxies from
/// the environment.
///
/// HTTP/1.1 only. Over HTTP/2 all requests to a provider would share one connection: its limit of streams (often 100)
/// would be the limit of the whole proxy, and one client that does not read would fill the window of all the others.
///
/// # Errors
/// When the system's certificates cannot be read.
pub fn http_client(timeouts: &TimeoutConfig) -> Result<reqwest::Client, reqwest::Error> {
    install_tls_provider();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .connect_timeout(timeouts.connect)
        .pool_idle_timeout(POOL_IDLE)
        .tcp_nodelay(true)
        .build()
}

/// Chooses the one provider of cryptography for TLS; needed once before any HTTP client is made.
pub fn install_tls_provider() {
    // Fails only when a provider is installed already, which is then the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
