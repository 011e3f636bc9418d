//! The certificates in the image: the authorities that browsers trust, and those of RDS.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::oci::Digest;
use crate::progress::{loud, step};
use crate::registry::client;
use crate::workspace::Workspace;

/// Where AWS has them for all regions.
const RDS_URL: &str = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem";
/// What they were when they were last looked at. AWS adds an authority now and then, and the digest has to follow.
const RDS_SHA256: &str = "e5bb2084ccf45087bda1c9bffdea0eb15ee67f0b91646106e466714f9de3c7e3";
/// A line of Base64 in PEM.
const LINE: usize = 64;

/// Mozilla's authorities in PEM. They come with a crate, whose version Cargo.lock says, and not from this machine, which may
/// trust more than others should.
pub(super) fn roots() -> String {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|certificate| pem(certificate)).collect()
}

/// The authorities of RDS: the file that was named, or AWS's, downloaded once.
pub(super) fn rds_bundle(workspace: &Workspace, named: Option<&Path>) -> Result<Vec<u8>> {
    if let Some(path) = named {
        let bundle = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        check_form(&bundle).with_context(|| format!("{} cannot go into the image", path.display()))?;
        let digest = Digest::of(&bundle);
        if digest.hex() != RDS_SHA256 {
            loud(format_args!("{} is not the bundle of AWS that is known here: it has {digest}", path.display()));
        }
        return Ok(bundle);
    }
    let kept = workspace.local().join("rds-global-bundle.pem");
    if let Ok(bundle) = fs::read(&kept)
        && Digest::of(&bundle).hex() == RDS_SHA256
    {
        return Ok(bundle);
    }
    step(format_args!("downloading {RDS_URL}"));
    let bundle = fetch().with_context(|| {
        format!(
            "cannot download the certificates for RDS; where there is no way to {RDS_URL}, bring the file over and name it \
             with --rds-ca-bundle FILE"
        )
    })?;
    let digest = Digest::of(&bundle);
    ensure!(
        digest.hex() == RDS_SHA256,
        "{RDS_URL} has {digest}, and sha256:{RDS_SHA256} was expected: AWS has changed it, or somebody else has; look at the \
         file, and then name it with --rds-ca-bundle FILE, or write its digest into xtask/src/build/certificates.rs"
    );
    fs::create_dir_all(workspace.local()).with_context(|| format!("cannot make {}", workspace.local().display()))?;
    fs::write(&kept, &bundle).with_context(|| format!("cannot write {}", kept.display()))?;
    Ok(bundle)
}

fn fetch() -> Result<Vec<u8>> {
    let answer = client()?.get(RDS_URL).send()?.error_for_status()?;
    Ok(answer.bytes()?.to_vec())
}

/// A bundle is read by everybody who gets the image, so a private key in it would be everybody's.
fn check_form(bundle: &[u8]) -> Result<()> {
    let text = std::str::from_utf8(bundle).ok().context("it is no text; wanted are certificates in PEM")?;
    ensure!(!text.contains("PRIVATE KEY-----"), "it has a private key, which no image may have");
    ensure!(
        text.contains("-----BEGIN CERTIFICATE-----") && text.contains("-----END CERTIFICATE-----"),
        "it has no certificate in PEM"
    );
    Ok(())
}

fn pem(certificate: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let encoded = STANDARD.encode(certificate);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.extend([line, "\n"]);
        rest = after;
    }
    text + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_authority_is_a_certificate_in_pem() {
        let roots = roots();
        assert_eq!(
            roots.matches("-----BEGIN CERTIFICATE-----\nMII").count(),
            webpki_root_certs::TLS_SERVER_ROOT_CERTS.len()
        );
        assert!(roots.len() > 100_000 && roots.lines().all(|line| line.len() <= LINE));
    }

    #[test]
    fn only_certificates_go_into_the_image() {
        assert!(check_form(roots().as_bytes()).is_ok());
        assert!(check_form(b"").is_err());
        assert!(check_form(b"\xff\xfe").is_err());
        let key = "-----BEGIN PRIVATE KEY-----\n".to_owned() + &roots();
        assert!(check_form(key.as_bytes()).is_err());
    }
}
