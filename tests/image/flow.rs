//! A container of the image serves Claude Code's requests, as a user without any rights, on a root that nobody can write to.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use support::tls::Http2Server;
use support::{Answer, Client, IssuedKey, KeyWish, Reply, Surroundings, refused_address};
use tempfile::TempDir;
use xtask::build::JOURNAL_FOLDER;
use xtask::oci::Layout;

use crate::container::{Container, Wishes};
use crate::made::layout;

/// A container that serves, and what it is given.
pub(crate) struct Serving {
    pub(crate) around: Surroundings,
    pub(crate) container: Container,
    journal: TempDir,
    pub(crate) key: IssuedKey,
    pub(crate) client: Client,
    /// Where it listens.
    pub(crate) url: String,
    _files: TempDir,
}

/// Starts `serve` with the environment of `around`, with names of hosts as a runtime gives them, and with more files.
async fn serve(around: Surroundings, wish: KeyWish, files_inside: Vec<(PathBuf, String)>) -> Serving {
    serve_of(&layout(), around, wish, files_inside).await
}

/// The same with an image.
pub(crate) async fn serve_of(
    image: &Layout,
    around: Surroundings,
    wish: KeyWish,
    files_inside: Vec<(PathBuf, String)>,
) -> Serving {
    let (socket, address) = refused_address();
    let key = around.issue(wish).await;
    let (files, journal) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut environment: BTreeMap<_, _> = around.environment().clone().into_iter().collect();
    let mut mounts = vec![(journal.path().to_owned(), JOURNAL_FOLDER.to_owned())];
    let hosts = files.path().join("hosts");
    fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    mounts.push((hosts, "/etc/hosts".to_owned()));
    mounts.extend(files_inside);
    let vault_key = environment.insert("LOCAL_VAULT_KEY_FILE".to_owned(), "/run/vault-key".to_owned()).unwrap();
    mounts.push((vault_key.into(), "/run/vault-key".to_owned()));
    environment.insert("USAGE_JOURNAL_DIR".to_owned(), JOURNAL_FOLDER.to_owned());
    environment.insert("LISTEN_ADDR".to_owned(), address.to_string());
    drop(socket);
    let mut container = Container::of(image, Wishes { environment, mounts, ..Wishes::default() });
    container.prints("\"listening\"").await;
    let url = format!("http://{address}");
    let client = Client::at(format!("{url}/ak/{}", key.text));
    Serving { around, container, journal, key, client, url, _files: files }
}

/// The life of a container: it is healthy, serves from the plan and from Bedrock, and on SIGTERM stores what it has counted.
#[tokio::test]
async fn a_container_without_any_rights_serves() {
    let around = Surroundings::start().await;
    // By name, so that the resolver in the binary is asked, which reads files of the root.
    let by_name = around.plan.url().replace("127.0.0.1", "localhost");
    let serving = serve(around.with("PLAN_BASE_URL", by_name), KeyWish::default(), Vec::new()).await;
    let Serving { around, container, journal, client, .. } = &serving;

    let healthy = container.execute(&["/claude-code-proxy", "healthcheck"]);
    assert!(healthy.status.success(), "{}", String::from_utf8_lossy(&healthy.stderr));

    around.plan.enqueue(Reply::plan_json(&Answer::text("from the plan")));
    let got = client.ask().await;
    assert_eq!((got.status, got.header("x-ccp-provider")), (200, "plan"));

    let answer = Answer::text("from Bedrock");
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::bedrock_stream(&answer));
    let got = client.ask_streamed().await;
    assert_eq!((got.status, got.header("x-ccp-fallback")), (200, "overloaded"));
    assert_eq!(got.events(), answer.to_events());
    let seen = around.bedrock.next_request().await;
    let bearer = format!("Bearer {}", serving.key.bedrock_key.as_ref().unwrap());
    assert_eq!(seen.header("authorization"), Some(bearer.as_str()));
    assert!(fs::read_dir(journal.path()).unwrap().next().is_some(), "the journal is in the volume");

    let status = container.kernel_says("status");
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!([value("Uid:"), value("Gid:")], [vec!["10001"; 4], vec!["10001"; 4]]);
    for rights in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(value(rights), ["0000000000000000"], "{rights}");
    }
    assert_eq!(value("NoNewPrivs:"), ["1"]);
    let mounts = container.kernel_says("mounts");
    let root = mounts.lines().find(|line| line.split(' ').nth(1) == Some("/")).unwrap();
    assert!(root.split(' ').nth(3).unwrap().split(',').any(|option| option == "ro"), "{root}");

    container.signal("TERM");
    let Serving { around, container, .. } = serving;
    assert_eq!(container.exit_code().await, Some(0));
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(rows, 1);
}

/// The plan has a certificate of an authority that stands where the image keeps its own, and nowhere else.
#[tokio::test]
async fn the_authorities_in_the_image_are_those_that_are_trusted() {
    let server = Http2Server::start().await;
    let roots = "/etc/ssl/certs/ca-certificates.crt".to_owned();
    for (files, status) in [(vec![(server.certificate().to_owned(), roots)], 200), (Vec::new(), 502)] {
        let around = Surroundings::start().await;
        let around = around.with("PLAN_BASE_URL", server.url()).with("PLAN_HTTP2_CONNECTIONS", "1");
        let serving = serve(around, KeyWish::without_bedrock(), files).await;
        assert_eq!(serving.client.ask().await.status, status);
        serving.container.signal("TERM");
        assert_eq!(serving.container.exit_code().await, Some(0));
    }
}

/// The other roles are in the same image.
#[tokio::test]
async fn the_image_migrates_a_database() {
    let around = Surroundings::start().await;
    let environment = around.environment().clone().into_iter().collect();
    let migrate = Wishes { arguments: Some(vec!["migrate"]), environment, ..Wishes::default() };
    let container = Container::start(migrate);
    let log = container.log.clone();
    assert_eq!(container.exit_code().await, Some(0), "{}", fs::read_to_string(log).unwrap());
}
