//! What is pushed is what comes back, and what is there is not sent again.

use std::fs;

use support::evidence::secret;
use support::{Reply, Upstream, get, http_client};
use xtask::oci::Digest;
use xtask::registry::{Credentials, Pushed, Reference, Registry, Scheme, push};

use crate::made::layout;
use crate::registry::{DockerRegistry, PASSWORD, USER};

/// Pushes on a thread of its own: the client of `cargo xtask` is a blocking one.
async fn pushed(name: String, credentials: Option<Credentials>) -> Result<Pushed, String> {
    let push = move || {
        let registry = Registry::new(&Reference::parse(&name)?, Scheme::Http, credentials)?;
        push(&layout(), &registry)
    };
    tokio::task::spawn_blocking(push).await.unwrap().map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn what_is_pushed_comes_back_and_is_not_sent_again() {
    let registry = DockerRegistry::open();
    let (layout, name) = (layout(), format!("{}/team/proxy", registry.host));
    let first = pushed(name.clone(), None).await.unwrap();
    let blobs = layout.blobs().unwrap();
    assert_eq!(first, Pushed { image: format!("{name}@{}", layout.digest()), tag: None, sent: blobs.len() });

    let address = |path: String| http_client().get(format!("http://{}/v2/team/proxy/{path}", registry.host));
    let manifest = address(format!("manifests/{}", layout.digest())).header("accept", layout.media_type().unwrap());
    let manifest = get(manifest).await;
    assert_eq!(manifest.status, 200);
    assert!(manifest.body == layout.manifest(), "the manifest is another one");
    for blob in &blobs {
        let back = get(address(format!("blobs/{}", blob.digest))).await;
        assert_eq!((back.status, Digest::of(&back.body)), (200, blob.digest.clone()));
        assert!(back.body == fs::read(&blob.path).unwrap());
    }

    let writing = ["POST", "PATCH", "PUT"];
    let before = registry.requests(&writing);
    assert!(before > 3 * blobs.len(), "the log of the registry tells of requests");
    assert_eq!(pushed(name.clone(), None).await.unwrap().sent, 0);
    assert_eq!(registry.requests(&writing), before, "a second push sends nothing");

    let tagged = pushed(format!("{name}:1.0"), None).await.unwrap();
    assert_eq!((tagged.tag.as_deref(), tagged.sent), (Some("1.0"), 0));
    assert_eq!(registry.requests(&writing), before + 1, "a tag is one request");
    let manifest = get(address("manifests/1.0".to_owned()).header("accept", layout.media_type().unwrap())).await;
    assert_eq!(manifest.header("docker-content-digest"), layout.digest().to_string());
}

#[tokio::test]
async fn a_registry_with_passwords_wants_the_right_one() {
    let registry = DockerRegistry::guarded();
    let name = format!("{}/proxy", registry.host);
    let credentials = |password: &str| Some(Credentials { user: USER.to_owned(), password: secret(password) });
    assert!(pushed(name.clone(), None).await.unwrap_err().contains("REGISTRY_PASSWORD"));
    let refused = pushed(name.clone(), credentials("another password")).await.unwrap_err();
    assert!(refused.contains("refuses the password of \"ada\"") && !refused.contains("another password"), "{refused}");
    assert!(pushed(name, credentials(PASSWORD)).await.unwrap().sent > 0);
}

/// The way of Docker Hub and others: a token from another server, for user and password, that is good for one repository.
#[tokio::test]
async fn a_token_is_fetched_where_the_registry_wants_one() {
    let (registry, tokens) = (Upstream::start().await, Upstream::start().await);
    let token = secret("token-of-the-tests");
    let challenge = format!("Bearer realm=\"{}/token\",service=\"tests\",scope=\"x\"", tokens.url());
    registry.enqueue(Reply::json(401, "{}").with_header("www-authenticate", challenge));
    registry.enqueue(Reply::new(200).with_header("docker-content-digest", layout().digest().to_string()));
    tokens.enqueue(Reply::json(200, format!(r#"{{"token":"{token}"}}"#)));
    let credentials = Credentials { user: USER.to_owned(), password: secret(PASSWORD) };
    let name = format!("{}/team/proxy", registry.url().trim_start_matches("http://"));
    assert_eq!(pushed(name, Some(credentials)).await.unwrap().sent, 0);

    let asked = tokens.next_request().await;
    assert_eq!(asked.target, "/token?service=tests&scope=repository%3Ateam%2Fproxy%3Apull%2Cpush");
    assert_eq!(asked.header("authorization"), Some("Basic YWRhOmEgcGFzc3dvcmQgZm9yIHRlc3Rz"));
    let seen = registry.requests();
    assert_eq!(seen[0].header("authorization"), None);
    assert_eq!(seen[1].header("authorization"), Some(format!("Bearer {token}").as_str()));
}

#[tokio::test]
async fn a_registry_that_fails_for_a_moment_is_asked_again() {
    let registry = Upstream::start().await;
    registry.enqueue(Reply::json(503, r#"{"errors":[{"code":"UNAVAILABLE","message":"in a moment"}]}"#));
    registry.enqueue(Reply::new(200).with_header("docker-content-digest", layout().digest().to_string()));
    let name = format!("{}/proxy", registry.url().trim_start_matches("http://"));
    assert_eq!(pushed(name, None).await.unwrap().sent, 0);
    assert_eq!(registry.replies_left(), 0);
}

#[tokio::test]
async fn the_reason_of_a_refusal_is_told() {
    let registry = Upstream::start().await;
    // The image, its first layer, and the beginning of an upload.
    for _ in 0..3 {
        registry.enqueue(Reply::json(404, r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#));
    }
    let name = format!("{}/proxy", registry.url().trim_start_matches("http://"));
    let refused = pushed(name, None).await.unwrap_err();
    assert!(
        refused.contains("NAME_UNKNOWN no such repository; where repositories are not made by a push"),
        "{refused}"
    );
    assert_eq!(registry.replies_left(), 0);
}
