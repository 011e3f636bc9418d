//! The name of an image in a registry: `registry.example.com/team/name:tag`.

use std::fmt::{Display, Formatter};

use anyhow::{Result, bail, ensure};

/// Where an image goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry's host, with a port where it has one.
    pub host: String,
    /// The repository.
    pub repository: String,
    /// The tag, if the image shall have one besides its digest.
    pub tag: Option<String>,
}

/// How a registry is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// With TLS.
    Https,
    /// Without, which only this machine's own addresses may be.
    Http,
}

impl Reference {
    /// Reads `host/repository[:tag]`.
    pub fn parse(text: &str) -> Result<Self> {
        let explained = "write it as REGISTRY/REPOSITORY or REGISTRY/REPOSITORY:TAG, such as \
                         123456789012.dkr.ecr.us-east-1.amazonaws.com/claude-code-proxy:1.0";
        ensure!(!text.contains("://"), "{text:?} begins with a scheme, which a registry has none of; {explained}");
        ensure!(
            !text.contains('@'),
            "{text:?} names a digest, but the digest of an image comes from its content; {explained}"
        );
        let Some((host, rest)) = text.split_once('/') else { bail!("{text:?} names no registry; {explained}") };
        // The rule of all tools: a first part without a dot, a port or this name is a part of the repository.
        ensure!(
            host == "localhost" || host.contains(['.', ':']),
            "{host:?} in {text:?} is no registry (that of Docker Hub is docker.io); {explained}"
        );
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        let proper = repository.split('/').all(is_name);
        ensure!(
            proper,
            "{repository:?} is no name of a repository: lower-case letters, digits, and . _ - between them; {explained}"
        );
        if let Some(tag) = tag {
            ensure!(
                is_tag(tag),
                "{tag:?} is no tag: at most 128 letters, digits, and . _ - after the first; {explained}"
            );
        }
        Ok(Self { host: host.to_owned(), repository: repository.to_owned(), tag: tag.map(str::to_owned) })
    }

    /// The address of the registry's API. Without TLS it has to be on this machine, because credentials are sent to it.
    pub fn base(&self, scheme: Scheme) -> Result<String> {
        // Docker Hub's API has another name than its images.
        let host = if self.host == "docker.io" { "registry-1.docker.io" } else { &self.host };
        match scheme {
            Scheme::Https => Ok(format!("https://{host}/v2/")),
            Scheme::Http => {
                ensure!(
                    is_loopback(host),
                    "{host} is not on this machine: without TLS anybody on the way could read the password; leave out \
                     --insecure-http, or forward a local port to it"
                );
                Ok(format!("http://{host}/v2/"))
            }
        }
    }
}

impl Display for Reference {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.host, self.repository)
    }
}

/// Whether a host, with or without a port, is this machine.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_name(part: &str) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    bytes.first().is_some_and(letter)
        && bytes.last().is_some_and(letter)
        && bytes.iter().all(|byte| letter(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_tag(tag: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(letter)
        && tag.bytes().all(|byte| letter(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Reference::parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_name_is_taken_apart() -> Result<()> {
        let parts = |text| Reference::parse(text).map(|name| (name.host, name.repository, name.tag));
        let whole = parts("registry.example.com:5000/team/proxy:1.0")?;
        assert_eq!(whole, ("registry.example.com:5000".into(), "team/proxy".into(), Some("1.0".into())));
        assert_eq!(parts("localhost/proxy")?, ("localhost".into(), "proxy".into(), None));
        Ok(())
    }

    #[test]
    fn a_wrong_name_is_told_with_the_right_form() {
        assert!(error("proxy").contains("no registry"));
        assert!(error("team/proxy").contains("docker.io"));
        assert!(error("https://r.example/proxy").contains("scheme"));
        assert!(error("r.example/proxy@sha256:0").contains("digest"));
        assert!(error("r.example/Proxy").contains("lower-case"));
        assert!(error("r.example/../x").contains("no name"));
        assert!(error("r.example/proxy:").contains("no tag"));
        assert!(error("proxy").contains("REGISTRY/REPOSITORY"));
    }

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() -> Result<()> {
        for (host, here) in [
            ("127.0.0.1:5000", true),
            ("localhost:5000", true),
            ("[::1]:5000", true),
            ("r.example", false),
            ("127.0.0.1.example", false),
        ] {
            let reference = Reference::parse(&format!("{host}/proxy"))?;
            assert_eq!(reference.base(Scheme::Http).is_ok(), here, "{host}");
            assert_eq!(reference.base(Scheme::Https)?, format!("https://{host}/v2/"));
        }
        assert_eq!(Reference::parse("docker.io/a/b")?.base(Scheme::Https)?, "https://registry-1.docker.io/v2/");
        Ok(())
    }
}
