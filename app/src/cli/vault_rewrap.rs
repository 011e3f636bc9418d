//! The role `vault-rewrap`: encrypts every Bedrock key under the key that the settings name.

use std::process::ExitCode;

use anyhow::Context as _;

use super::environment::environment;
use crate::config::{AwsConfig, DatabaseConfig, SecretName, TimeoutConfig, VaultConfig};
use crate::store::Database;
use crate::upstream::http_client;
use crate::vault::{VaultError, Vaults};

pub(super) const HELP: &str = "\
Needs DATABASE_URL, KMS_KEY_ID, and LOCAL_VAULT_KEY_FILE where keys were encrypted under it. What was encrypted under the key \
file, or under the key that an alias named before, is afterwards encrypted under KMS_KEY_ID. May run beside `serve`, and be \
stopped and run again at any time: what is done stays, and is passed over.

Exit code 0: all keys are encrypted under it. 1: some are not; which, and why, goes to standard error.";

/// Keys that are read at a time.
const PAGE: u32 = 200;

/// Goes through all keys in the order of their ids.
pub(super) async fn vault_rewrap() -> anyhow::Result<ExitCode> {
    let mut env = environment(&[SecretName::Database]).await?;
    let database = DatabaseConfig::read(&mut env);
    let timeouts = TimeoutConfig::read(&mut env);
    let vault = VaultConfig::read(&mut env);
    let aws = AwsConfig::read(&mut env);
    env.finish()?;
    let database = Database::open(&database.context("DATABASE_URL is missing")?)?;
    let vault = vault.context("KMS_KEY_ID is missing")?;
    anyhow::ensure!(vault.kms_key_id.is_some(), "KMS_KEY_ID is not set; it names the key to encrypt under");
    let http =
        http_client(&timeouts.context("the time-outs are missing")?).context("the HTTP client cannot be made")?;
    let vaults = Vaults::open(&vault, &aws, &http)?;
    database.reach().await?;
    let (mut anew, mut already, mut failed, mut after) = (0_u64, 0_u64, 0_u64, None);
    loop {
        let page =
            database.sealed_keys(after, PAGE).await.context("the keys cannot be read (has `migrate` been run?)")?;
        let Some(last) = page.last() else { break };
        after = Some(last.access_key_id);
        for row in page {
            match vaults.reseal(row.access_key_id, &row.sealed).await {
                Ok(None) => already += 1,
                // Else somebody has registered another key meanwhile, which is encrypted as it should be.
                Ok(Some(sealed)) => anew += u64::from(database.replace_sealed_key(&row, &sealed).await?),
                Err(error @ VaultError::Away(_)) => {
                    eprintln!("{anew} keys encrypted anew so far, {already} were already");
                    return Err(error).context("stopped; run it again, and it goes on");
                }
                Err(error) => {
                    failed += 1;
                    eprintln!("access key {}: {error}", row.access_key_id);
                }
            }
        }
    }
    eprintln!("{anew} keys encrypted anew, {already} were already, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
