//! Logging in and out.

use std::time::Instant;

use chrono::{DateTime, Timelike as _, Utc};
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::SharedAdmin;
use super::access::{LIFETIME, Token, enter};
use super::caller::{Caller, ClientAddress, Login, actor};
use super::problem::{Kind, Problem};
use super::service::Tag;
use super::sorts::{Listing, LoggingIn, Refused};
use crate::domain::Secret;

/// A login.
#[derive(Object, Debug)]
pub(super) struct Session {
    /// Send it with every request: `Authorization: Bearer TOKEN`.
    #[oai(read_only)]
    token: String,
    /// Until when it works.
    expires_at: DateTime<Utc>,
}

/// The login is over.
#[derive(ApiResponse, Debug)]
pub enum LoggedOut {
    /// The token works no more.
    #[oai(status = 204)]
    Done,
}

/// Operations on logins.
pub struct LoginPart;

#[OpenApi(prefix_path = "/admin/auth", tag = "Tag::Login")]
impl LoginPart {
    /// Log in
    ///
    /// With the administrator's name and password (HTTP Basic). The token works for 8 hours, until it is given back, or
    /// until the password is changed. After five failures in a minute, from one address or with one name, the next attempt
    /// has to wait.
    #[oai(path = "/login", method = "post", operation_id = "create_session")]
    async fn login(
        &self,
        admin: Data<&SharedAdmin>,
        address: Data<&ClientAddress>,
        login: Login,
    ) -> Result<Json<Session>, Refused<LoggingIn>> {
        let Login(given) = login;
        let ClientAddress(address) = *address.0;
        admin.logins.attempt(address, &given.username, Instant::now()).map_err(|wait| {
            let seconds = wait.as_secs() + 1;
            let message = format!("Too many logins have failed. Try again in {seconds} s.");
            Problem::new(Kind::TooOften, "too_many_logins", message).after(seconds)
        })?;
        let Some(entrance) = enter(&admin.entrance, &given.username, &Secret::new(given.password)).await else {
            tracing::warn!(%address, "a login failed");
            return Err(refusal(admin.entrance.current().credentials.is_some()).into());
        };
        admin.logins.succeeded(address, &given.username);
        let now = Utc::now();
        let expires_at = now.with_nanosecond(0).unwrap_or(now) + LIFETIME;
        let token = Token { id: Uuid::new_v4(), username: given.username, expires_at };
        admin.database.logged_in(&actor(&token.username, address), token.id, expires_at).await?;
        Ok(Json(Session { token: entrance.tokens.write(&token), expires_at }))
    }

    /// Log out
    ///
    /// The token of this request works no more, on every instance.
    #[oai(path = "/logout", method = "post", operation_id = "delete_session")]
    async fn logout(&self, admin: Data<&SharedAdmin>, caller: Caller) -> Result<LoggedOut, Refused<Listing>> {
        let token = &caller.0.token;
        admin.database.revoke_token(caller.actor(), token.id, token.expires_at).await?;
        Ok(LoggedOut::Done)
    }
}

fn refusal(somebody_can: bool) -> Problem {
    if somebody_can {
        return Problem::new(Kind::Unauthenticated, "wrong_login", "The name or the password is wrong.");
    }
    let message = "Nobody can log in: no administrator is set up. Set ADMIN_USERNAME and ADMIN_PASSWORD_HASH.";
    Problem::new(Kind::Away, "no_administrator", message)
}
