//! Checks a password against its Argon2id hash, off the threads that serve requests.

use argon2::password_hash::PasswordVerifier as _;
use argon2::{Argon2, PasswordHash};
use tokio::sync::Semaphore;

use crate::config::AdminCredentials;
use crate::domain::Secret;

/// Checks at a time: each takes some 20 MiB and tens of milliseconds of a processor.
static CHECKS: Semaphore = Semaphore::const_new(2);

/// Whether these are the administrator's name and password. A wrong name takes as long as a wrong password.
pub(crate) async fn verify(credentials: &AdminCredentials, username: &str, password: Secret) -> bool {
    let hash = credentials.password_hash.clone();
    let Ok(_place) = CHECKS.acquire().await else { return false };
    let checked = tokio::task::spawn_blocking(move || {
        let Ok(hash) = PasswordHash::new(hash.expose()) else { return false };
        Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()
    });
    checked.await.unwrap_or(false) && username == credentials.username
}
