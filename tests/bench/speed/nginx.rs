//! nginx as a plain reverse proxy, with settings that equal the proxy's where both have them.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::net::TcpStream;
use xtask::leash::{EndSignal, Leashed, Output};

/// nginx listens within milliseconds.
const BEGINS_WITHIN: Duration = Duration::from_secs(10);

/// A running nginx: one process, which works and has no other above it.
#[derive(Debug)]
pub(crate) struct Nginx {
    process: Leashed,
    address: SocketAddr,
}

impl Nginx {
    /// Starts it in front of this upstream, with its files in this folder.
    pub(crate) async fn start(upstream: SocketAddr, folder: &Path) -> Result<Self> {
        let program = std::env::var_os("NGINX_BIN").context("NGINX_BIN is not set; use `cargo xtask bench`")?;
        // A port that was free a moment ago, because nginx cannot say which one it has been given.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let file = folder.join("nginx.conf");
        std::fs::write(&file, settings(upstream, address, &folder.display().to_string()))?;
        let errors = File::create(folder.join("nginx-output.log"))?;
        let mut command = Command::new(program);
        command.arg("-e").arg(folder.join("error.log")).arg("-p").arg(folder).arg("-c").arg(&file);
        let mut process = Leashed::start(&command, Output::File(errors), EndSignal::Terminate, None)?;
        let begun = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            let ended = process.ended()?;
            ensure!(
                ended.is_none() && begun.elapsed() < BEGINS_WITHIN,
                "nginx does not start; see {}",
                folder.display()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Self { process, address })
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Bodies are held in memory before they are sent on, as the proxy has to hold them, and never on the disk.
fn settings(upstream: SocketAddr, address: SocketAddr, folder: &str) -> String {
    format!(
        "daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{
  worker_connections 15000;
}}
http {{
  access_log {folder}/access.log combined;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 32m;
  client_body_buffer_size 2m;
  keepalive_timeout 650s;
  keepalive_requests 1000000000;
  upstream plan {{
    server {upstream};
    keepalive 128;
    keepalive_requests 1000000000;
  }}
  server {{
    listen {address} backlog=4096;
    location / {{
      proxy_pass http://plan;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_buffering off;
      proxy_read_timeout 300s;
    }}
  }}
}}
"
    )
}
