//! HTTP/2 towards the plan, where the settings ask for it.

use support::process::ServeProcess;
use support::tls::Http2Server;
use support::{Client, KeyWish, Surroundings};

#[tokio::test]
async fn the_plan_is_asked_over_so_many_http2_connections() {
    let server = Http2Server::start().await;
    let around = Surroundings::start()
        .await
        .with("PLAN_BASE_URL", server.url())
        .with("PLAN_HTTP2_CONNECTIONS", "2")
        .with("SSL_CERT_FILE", server.certificate().display().to_string());
    let process = ServeProcess::start(&around).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), around.issue(KeyWish::default()).await.text));
    for _ in 0..6 {
        let got = client.ask().await;
        assert_eq!((got.status, got.header("x-ccp-provider"), got.header("x-http-version")), (200, "plan", "HTTP/2.0"));
        assert_eq!(got.header("x-authority"), server.url().trim_start_matches("https://"));
        assert_eq!(got.body, client.body(false));
    }
    assert_eq!(server.connections(), 2);
}
