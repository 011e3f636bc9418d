//! The tokens of administrators: JWTs (RFC 7519) with HS256, under a key that only the server can derive.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::config::AdminCredentials;
use crate::domain::Secret;

/// How long a login lasts.
pub(crate) const LIFETIME: TimeDelta = TimeDelta::hours(8);
/// `{"alg":"HS256","typ":"JWT"}`: the only head that is made, and the only one that is taken.
const HEAD: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Makes and reads tokens.
#[derive(Clone)]
pub struct Tokens {
    keyed: Hmac<Sha256>,
}

/// What a token says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Token {
    /// Which token it is.
    #[serde(rename = "jti")]
    pub id: Uuid,
    /// Whose it is.
    #[serde(rename = "sub")]
    pub username: String,
    /// Until when it works.
    #[serde(rename = "exp", with = "chrono::serde::ts_seconds")]
    pub expires_at: DateTime<Utc>,
}

impl Tokens {
    /// Tokens under a key that changes with the server's secret and with the administrator's name and password, so that a
    /// changed password ends what was logged in with the old one.
    pub fn new(hasher_secret: &Secret, credentials: Option<&AdminCredentials>) -> Self {
        let mut key = keyed(hasher_secret.expose().as_bytes());
        key.update(b"tokens of the admin API\0");
        if let Some(AdminCredentials { username, password_hash }) = credentials {
            key.update(username.as_bytes());
            key.update(b"\0");
            key.update(password_hash.expose().as_bytes());
        }
        Self { keyed: keyed(&key.finalize().into_bytes()) }
    }

    /// Writes a token.
    pub fn write(&self, token: &Token) -> String {
        let claims = serde_json::to_vec(token).unwrap_or_default();
        let signed = format!("{HEAD}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = self.keyed.clone().chain_update(signed.as_bytes()).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Reads a token; `None` for one that was not made here or is over.
    pub fn read(&self, text: &str, now: DateTime<Utc>) -> Option<Token> {
        let (signed, signature) = text.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.keyed.clone().chain_update(signed.as_bytes()).verify_slice(&signature).ok()?;
        let claims = signed.strip_prefix(HEAD)?.strip_prefix('.')?;
        let token: Token = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        (now < token.expires_at).then_some(token)
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    Hmac::new_from_slice(key).expect("any length")
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(secret: &str, password_hash: &str) -> Tokens {
        let credentials = AdminCredentials { username: "ada".to_owned(), password_hash: Secret::new(password_hash) };
        Tokens::new(&Secret::new(secret), Some(&credentials))
    }

    fn token() -> Token {
        let expires_at = "2026-01-01T08:00:00Z".parse().unwrap();
        Token { id: Uuid::from_u128(7), username: "ada".to_owned(), expires_at }
    }

    #[test]
    fn a_token_is_read_until_it_is_over() {
        let (tokens, token) = (tokens("s", "p"), token());
        let text = tokens.write(&token);
        let before = token.expires_at - TimeDelta::seconds(1);
        assert_eq!(tokens.read(&text, before), Some(token.clone()));
        assert_eq!(tokens.read(&text, token.expires_at), None);
    }

    #[test]
    fn nobody_else_makes_or_changes_one() {
        let (ours, now) = (tokens("s", "p"), token().expires_at - TimeDelta::seconds(1));
        let text = ours.write(&token());
        for other in [tokens("t", "p"), tokens("s", "q"), Tokens::new(&Secret::new("s"), None)] {
            assert_eq!(ours.read(&other.write(&token()), now), None);
        }
        let claims = serde_json::to_vec(&Token { username: "eve".to_owned(), ..token() }).unwrap();
        let signature = text.rsplit('.').next().unwrap();
        let unsigned = r#"{"alg":"none","typ":"JWT"}"#;
        for (head, end) in [(HEAD.to_owned(), signature), (URL_SAFE_NO_PAD.encode(unsigned), "")] {
            let forged = format!("{head}.{}.{end}", URL_SAFE_NO_PAD.encode(&claims));
            assert_eq!(ours.read(&forged, now), None, "{forged}");
        }
        for wrong in ["", ".", "..", "a.b.c", &text[..text.len() - 2]] {
            assert_eq!(ours.read(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn the_head_says_how_it_is_signed() {
        assert_eq!(URL_SAFE_NO_PAD.decode(HEAD).unwrap(), br#"{"alg":"HS256","typ":"JWT"}"#);
    }
}
