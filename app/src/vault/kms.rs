//! The vault of AWS KMS: Encrypt and Decrypt with the access key's id as encryption context.
//!
//! Form of a sealed secret: one byte of version (2), then what KMS made, which names its key itself.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Vault, VaultError};
use crate::aws;
use crate::domain::Secret;
use crate::telemetry::standing::{Standing, State};

/// What begins everything that this vault has sealed.
pub(super) const VERSION: u8 = 2;
/// What one try may take, of which there are three; a request waits for it.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(2);
/// What a call may take in all.
const CALL_WITHIN: Duration = Duration::from_secs(5);
/// What Encrypt takes.
const MAX_BYTES: usize = 4_096;
const CONTEXT: &str = "access_key_id";

/// A vault whose key never leaves AWS.
#[derive(Debug)]
pub struct KmsVault {
    key_id: String,
    client: Shared<BoxFuture<'static, Client>>,
    standing: Standing,
}

impl KmsVault {
    /// A vault that seals under this key: its id, its ARN, or an alias such as `alias/claude-code-proxy`. The settings of
    /// AWS are waited for by the first call.
    pub fn new(key_id: String, config: impl Future<Output = SdkConfig> + Send + 'static) -> Self {
        let client = async move {
            let timeouts = TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_WITHIN)
                .operation_timeout(CALL_WITHIN)
                .build();
            let config = aws_sdk_kms::config::Builder::from(&config.await).timeout_config(timeouts);
            Client::from_conf(config.build())
        };
        Self { key_id, client: client.boxed().shared(), standing: Standing::new(State::Untried) }
    }

    /// How KMS was when it was last asked.
    pub(super) fn standing(&self) -> Standing {
        self.standing.clone()
    }

    /// What KMS has said. That something cannot be opened is an answer, too.
    fn told<T, E: ProvideErrorMetadata>(&self, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<T, VaultError> {
        let told = answer.map_err(|error| failure(&error));
        self.standing.note(!matches!(told, Err(VaultError::Away(_) | VaultError::Refused(_))));
        told
    }

    /// Has KMS encrypt a secret anew, which does not leave it; `None` when it is encrypted under this vault's key already.
    ///
    /// # Errors
    /// When KMS cannot, or is away.
    pub(super) async fn reseal(&self, access_key_id: Uuid, sealed: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        let call = self.client.clone().await.re_encrypt();
        let call = call
            .ciphertext_blob(Blob::new(unversioned(sealed)?))
            .source_encryption_context(CONTEXT, access_key_id.to_string())
            .destination_encryption_context(CONTEXT, access_key_id.to_string())
            .destination_key_id(&self.key_id);
        let told = self.told(call.send().await)?;
        let same = told.source_key_id.is_some() && told.source_key_id == told.key_id;
        if same { Ok(None) } else { versioned(told.ciphertext_blob).map(Some) }
    }
}

#[async_trait::async_trait]
impl Vault for KmsVault {
    async fn seal(&self, access_key_id: Uuid, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        if secret.expose().len() > MAX_BYTES {
            return Err(VaultError::TooLong(MAX_BYTES));
        }
        let call = self.client.clone().await.encrypt();
        let call = call
            .key_id(&self.key_id)
            .plaintext(Blob::new(secret.expose()))
            .encryption_context(CONTEXT, access_key_id.to_string());
        let told = self.told(call.send().await)?;
        versioned(told.ciphertext_blob)
    }

    async fn open(&self, access_key_id: Uuid, sealed: &[u8]) -> Result<Secret, VaultError> {
        let call = self.client.clone().await.decrypt();
        // Without a key id, so that what an earlier key has sealed opens too; the role says under which keys it may.
        let call = call
            .ciphertext_blob(Blob::new(unversioned(sealed)?))
            .encryption_context(CONTEXT, access_key_id.to_string());
        let told = self.told(call.send().await)?;
        let text = Zeroizing::new(told.plaintext.ok_or(VaultError::CannotOpen)?.into_inner());
        std::str::from_utf8(&text).map(Secret::new).map_err(|_| VaultError::CannotOpen)
    }
}

fn versioned(made: Option<Blob>) -> Result<Vec<u8>, VaultError> {
    let made = made.ok_or_else(|| VaultError::CannotSeal("AWS KMS answered without a ciphertext".to_owned()))?;
    Ok([&[VERSION], made.as_ref()].concat())
}

fn unversioned(sealed: &[u8]) -> Result<&[u8], VaultError> {
    sealed.strip_prefix(&[VERSION]).ok_or(VaultError::CannotOpen)
}

fn failure<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> VaultError {
    let code = aws::code(error);
    match code {
        "InvalidCiphertextException" | "IncorrectKeyException" => VaultError::CannotOpen,
        "KMSInternalException" | "DependencyTimeoutException" | "KeyUnavailableException" => {
            VaultError::Away(code.to_owned())
        }
        _ if aws::is_away(error) => VaultError::Away(code.to_owned()),
        _ => VaultError::Refused(code.to_owned()),
    }
}
