//! An authority of its own making, whose certificates a client checks against its file.

use std::io::Write as _;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// The authority.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: tempfile::NamedTempFile,
}

/// A certificate and its key, in PEM.
#[derive(Debug)]
pub struct Certified {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Authority {
    /// Makes one.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = params.self_signed(&key).expect("a certificate of its own");
        let mut certificate = tempfile::NamedTempFile::new().expect("a file for the certificate");
        certificate.write_all(own.pem().as_bytes()).expect("the certificate");
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// The file with its own certificate.
    pub fn file(&self) -> &Path {
        self.certificate.path()
    }

    /// A certificate for a server of this name.
    pub fn certify(&self, host: &str) -> Certified {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([host.to_owned()]).expect("the name of a host");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certified { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}
