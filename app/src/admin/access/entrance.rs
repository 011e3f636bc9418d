//! Who may enter, as far as it is known: the administrator, and the tokens that were given out to them.

use std::sync::Arc;

use super::Tokens;
use super::password::verify;
use crate::config::{AdminCredentials, Live};
use crate::domain::Secret;

/// The administrator and the tokens; they change together, so that no token outlives the password it was given for.
#[derive(Debug)]
pub struct Entrance {
    /// `None`: nobody can log in.
    pub credentials: Option<AdminCredentials>,
    /// Under a key of these credentials.
    pub tokens: Tokens,
}

impl Entrance {
    /// That of these credentials.
    pub fn new(hasher_secret: &Secret, credentials: Option<AdminCredentials>) -> Self {
        Self { tokens: Tokens::new(hasher_secret, credentials.as_ref()), credentials }
    }

    /// Whether these are the name and the password.
    async fn admits(&self, username: &str, password: &Secret) -> bool {
        match &self.credentials {
            Some(credentials) => verify(credentials, username, password.clone()).await,
            None => false,
        }
    }
}

/// The entrance that this name and password open. They may have been changed a moment ago, which is looked up before
/// anybody is refused.
pub(crate) async fn enter(entrance: &Live<Entrance>, username: &str, password: &Secret) -> Option<Arc<Entrance>> {
    let known = entrance.current();
    if known.admits(username, password).await {
        return Some(known);
    }
    let newer = entrance.doubted().await?;
    newer.admits(username, password).await.then_some(newer)
}
