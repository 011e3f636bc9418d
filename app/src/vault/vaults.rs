//! The vault that the settings ask for: AWS KMS, a key file, or KMS beside the key file that was there before it.

use uuid::Uuid;

use super::{KmsVault, LocalVault, Vault, VaultError, kms, local};
use crate::aws;
use crate::config::{AwsConfig, VaultConfig};
use crate::domain::Secret;
use crate::telemetry::standing::{Standing, State};

/// Seals with KMS where there is one, and opens what either has sealed.
#[derive(Debug)]
pub struct Vaults {
    kms: Option<KmsVault>,
    local: Option<LocalVault>,
}

impl Vaults {
    /// Those that the settings name. Nothing is asked of AWS before it is needed.
    ///
    /// # Errors
    /// When the key file cannot be used.
    pub fn open(config: &VaultConfig, aws: &AwsConfig, http: &reqwest::Client) -> Result<Self, VaultError> {
        let local = config.key_file.as_deref().map(LocalVault::from_key_file).transpose()?;
        let kms = config.kms_key_id.clone().map(|key_id| {
            let (http, aws) = (http.clone(), aws.clone());
            KmsVault::new(key_id, async move { aws::sdk_config(http, &aws).await })
        });
        Ok(Self { kms, local })
    }

    /// How the part that seals was when it was last needed. A key file has been read by now.
    pub fn standing(&self) -> Standing {
        self.kms.as_ref().map_or_else(|| Standing::new(State::Ready), KmsVault::standing)
    }

    /// Encrypts anew what is not encrypted under the key that seals; `None`: it is.
    ///
    /// # Errors
    /// When it cannot be opened or sealed.
    pub async fn reseal(&self, access_key_id: Uuid, sealed: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        match (&self.kms, sealed.first()) {
            (Some(kms), Some(&kms::VERSION)) => kms.reseal(access_key_id, sealed).await,
            (Some(kms), _) => {
                let secret = self.open(access_key_id, sealed).await?;
                kms.seal(access_key_id, &secret).await.map(Some)
            }
            (None, _) => self.open(access_key_id, sealed).await.map(|_| None),
        }
    }
}

#[async_trait::async_trait]
impl Vault for Vaults {
    async fn seal(&self, access_key_id: Uuid, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        match (&self.kms, &self.local) {
            (Some(kms), _) => kms.seal(access_key_id, secret).await,
            (None, Some(local)) => local.seal(access_key_id, secret).await,
            (None, None) => Err(VaultError::Missing("KMS_KEY_ID or LOCAL_VAULT_KEY_FILE")),
        }
    }

    async fn open(&self, access_key_id: Uuid, sealed: &[u8]) -> Result<Secret, VaultError> {
        match (sealed.first(), &self.kms, &self.local) {
            (Some(&kms::VERSION), Some(kms), _) => kms.open(access_key_id, sealed).await,
            (Some(&kms::VERSION), None, _) => Err(VaultError::Missing("KMS_KEY_ID")),
            (Some(&local::VERSION), _, Some(local)) => local.open(access_key_id, sealed).await,
            (Some(&local::VERSION), _, None) => Err(VaultError::Missing("LOCAL_VAULT_KEY_FILE")),
            _ => Err(VaultError::CannotOpen),
        }
    }
}
