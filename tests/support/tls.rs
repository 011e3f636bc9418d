//! A server that speaks TLS and offers HTTP/2, with a certificate of its own making.

use std::convert::Infallible;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Answers every request with its own body, and says in `x-http-version` and `x-authority` how it came.
#[derive(Debug)]
pub struct Http2Server {
    url: String,
    certificate: tempfile::NamedTempFile,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Http2Server {
    /// Starts it on a free port of `localhost`.
    pub async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let mut certificate = tempfile::NamedTempFile::new().expect("a file for the certificate");
        certificate.write_all(made.cert.pem().as_bytes()).expect("the certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("the key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate that fits its key");
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("localhost:0").await.expect("a free port");
        let url = format!("https://localhost:{}", listener.local_addr().expect("its address").port());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                counted.fetch_add(1, Ordering::Relaxed);
                running.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    // A client that leaves ends its connection as it likes.
                    drop(server.serve_connection(TokioIo::new(stream), service_fn(echo)).await);
                });
            }
        });
        Self { url, certificate, connections, task }
    }

    /// `https://localhost:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate that a client has to trust.
    pub fn certificate(&self) -> &Path {
        self.certificate.path()
    }

    /// Connections that were opened so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Http2Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn echo(request: http::Request<hyper::body::Incoming>) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let version = format!("{:?}", request.version());
    let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let answer = http::Response::builder().header("x-http-version", version).header("x-authority", authority);
    Ok(answer.body(Full::new(body)).expect("headers of visible characters"))
}
