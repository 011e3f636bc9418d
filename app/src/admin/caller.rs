//! Who calls an operation, proven by a token, or by name and password at the login.

use std::net::IpAddr;

use chrono::Utc;
use poem::Request;
use poem_openapi::SecurityScheme;
use poem_openapi::auth::{Basic, Bearer};
use uuid::Uuid;

use super::access::Token;
use super::problem::{Kind, Problem};
use super::{SharedAdmin, routes};
use crate::store::Actor;

/// The address of the client, as the check of the networks has found it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientAddress(pub IpAddr);

/// The token from `POST /admin/auth/login`
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "token", bearer_format = "JWT", checker = "signed_in")]
pub(super) struct Caller(pub Administrator);

/// The administrator's name and password
#[derive(SecurityScheme)]
#[oai(ty = "basic", rename = "password")]
pub(super) struct Login(pub Basic);

/// An administrator who is logged in.
#[derive(Clone, Debug)]
pub(super) struct Administrator {
    /// The login.
    pub token: Token,
    /// For the audit log.
    pub actor: Actor,
}

impl Caller {
    /// For the audit log.
    pub(super) fn actor(&self) -> &Actor {
        &self.0.actor
    }
}

async fn signed_in(request: &Request, bearer: Bearer) -> poem::Result<Administrator> {
    let refused = |problem: Problem| poem::Error::from_response(problem.response());
    let (Some(admin), Some(ClientAddress(address))) = (request.data::<SharedAdmin>(), request.data::<ClientAddress>())
    else {
        return Err(refused(unauthenticated()));
    };
    let entrance = admin.entrance.current();
    let token = entrance.tokens.read(&bearer.token, Utc::now()).ok_or_else(|| refused(unauthenticated()))?;
    if admin.database.token_is_revoked(token.id).await.map_err(|error| refused(error.into()))? {
        return Err(refused(unauthenticated()));
    }
    let actor = Actor { name: token.username.clone(), address: *address, request_id: routes::request_id() };
    Ok(Administrator { token, actor })
}

/// No valid token, whatever is wrong with it.
pub(super) fn unauthenticated() -> Problem {
    let message = "No valid login came with the request. Log in at POST /admin/auth/login and send the token that it gives as \
                   Authorization: Bearer TOKEN.";
    Problem::new(Kind::Unauthenticated, "unauthenticated", message)
}

/// The name of whoever tries to log in, and where from.
pub(super) fn actor(name: &str, address: IpAddr) -> Actor {
    let request_id: Uuid = routes::request_id();
    Actor { name: name.chars().take(255).collect(), address, request_id }
}
