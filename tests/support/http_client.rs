//! The HTTP client with which a test plays the developer's machine.

use std::sync::Once;

/// A client which shows answers as they are: it follows no redirect, decodes no compression and heeds no proxy variable.
pub fn http_client() -> reqwest::Client {
    builder().build().expect("a client without special options")
}

/// The same, speaking HTTP/2 from the first byte on, without TLS.
pub fn http2_client() -> reqwest::Client {
    builder().http2_prior_knowledge().build().expect("a client without special options")
}

fn builder() -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    // The client is built without a crypto provider of its own, and refuses to start before the process has one.
    PROVIDER.call_once(|| {
        // An error says that the process has one already, and that is all we want.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none())
}

/// An address where nobody listens, and that nobody else is given while the socket is kept.
pub fn refused_address() -> (tokio::net::TcpSocket, std::net::SocketAddr) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let address = socket.local_addr().expect("its address");
    (socket, address)
}
