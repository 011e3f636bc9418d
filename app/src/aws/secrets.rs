//! Secrets, read from AWS Secrets Manager.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

use super::failure::{code, is_away};
use crate::config::{SecretName, SecretSettings, SecretsConfig};

/// Why a secret is not a setting. No variant has anything of a secret's value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It is not there, or has no value.
    #[error("the secret {0} is missing or has no value; write it, or give the role SECRETS_PREFIX as it is")]
    Missing(String),
    /// It cannot be read.
    #[error(
        "the secret {name} cannot be read ({code}): look at SECRETS_PREFIX, AWS_REGION, and whether the role may read it"
    )]
    Unreadable {
        /// Its whole name.
        name: String,
        /// AWS's name of the error.
        code: String,
    },
    /// Secrets Manager is away, or has no room.
    #[error(
        "AWS Secrets Manager does not serve at the moment ({code}), so that the secret {name} cannot be read; try again"
    )]
    Away {
        /// The secret's whole name.
        name: String,
        /// The name of the error.
        code: String,
    },
    /// It has another form.
    #[error("the secret {name} {form}")]
    Form {
        /// Its whole name.
        name: String,
        /// What it should be.
        form: &'static str,
    },
}

/// Secrets Manager, for the secrets of this service.
#[derive(Clone, Debug)]
pub struct Secrets {
    client: Client,
    config: SecretsConfig,
}

impl Secrets {
    /// Those with the prefix of the settings.
    pub fn new(shared: &SdkConfig, config: SecretsConfig) -> Self {
        Self { client: Client::new(shared), config }
    }

    /// The settings in some secrets. One that may be missing is left out when it is.
    ///
    /// # Errors
    /// The first that cannot be had.
    pub async fn settings(&self, names: &[SecretName]) -> Result<SecretSettings, SecretError> {
        let read = names.iter().map(|name| self.read(*name));
        // All are waited for, so that of two errors always the same one is told.
        let read: Result<Vec<_>, _> = futures_util::future::join_all(read).await.into_iter().collect();
        Ok(read?.into_iter().flatten().collect())
    }

    async fn read(&self, secret: SecretName) -> Result<SecretSettings, SecretError> {
        let name = format!("{}/{}", self.config.prefix, secret.name());
        let asked =
            self.client.get_secret_value().secret_id(&name).set_version_stage(secret.stage().map(str::to_owned));
        let told = match asked.send().await {
            Ok(told) => told.secret_string.map(zeroize::Zeroizing::new),
            Err(error) if is_missing(&error) => None,
            Err(error)
                if is_away(&error)
                    || error.as_service_error().is_some_and(GetSecretValueError::is_internal_service_error) =>
            {
                return Err(SecretError::Away { code: code(&error).to_owned(), name });
            }
            Err(error) => return Err(SecretError::Unreadable { code: code(&error).to_owned(), name }),
        };
        match told {
            Some(text) => secret
                .settings(&text, self.config.database_ca_file.as_deref())
                .map_err(|form| SecretError::Form { name, form }),
            None if secret.may_be_missing() => Ok(SecretSettings::new()),
            None => Err(SecretError::Missing(name)),
        }
    }
}

fn is_missing(error: &SdkError<GetSecretValueError>) -> bool {
    error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception)
}
