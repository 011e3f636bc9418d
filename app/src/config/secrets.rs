//! Secrets of AWS Secrets Manager as settings: what each is called, how it is written, and which settings it makes.

use std::collections::HashMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::env::Environment;
use super::variables as var;
use crate::domain::Secret;

/// A secret, by its name after the prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SecretName {
    /// `PLAN_API_KEY`, as it is; it may be missing.
    PlanApiKey,
    /// `ADMIN_USERNAME` and `ADMIN_PASSWORD_HASH`; it may be missing or have no value yet.
    AdminCredentials,
    /// `KEY_HASHER_SECRET`, as it is.
    KeyHasherSecret,
    /// `KEY_HASHER_SECRET_PREVIOUS`: what the secret was before it was rotated, if it was.
    PreviousKeyHasherSecret,
    /// `DATABASE_URL`.
    Database,
}

/// Settings that were made of secrets, by the names of their variables.
pub type SecretSettings = HashMap<&'static str, Secret>;

/// What a rotated login of a database looks like, and what AWS adds to it.
#[derive(Deserialize)]
struct DatabaseSecret {
    username: String,
    password: String,
    host: String,
    port: Option<u16>,
    dbname: Option<String>,
    sslmode: Option<String>,
}

#[derive(Deserialize)]
struct AdminSecret {
    username: String,
    password_hash: String,
}

impl SecretName {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::PlanApiKey,
        Self::AdminCredentials,
        Self::KeyHasherSecret,
        Self::PreviousKeyHasherSecret,
        Self::Database,
    ];

    /// The name after the prefix.
    pub fn name(self) -> &'static str {
        match self {
            Self::PlanApiKey => "plan-api-key",
            Self::AdminCredentials => "admin-credentials",
            Self::KeyHasherSecret | Self::PreviousKeyHasherSecret => "key-hasher-secret",
            Self::Database => "database",
        }
    }

    /// The label of the version that is meant, where it is not the current one.
    pub fn stage(self) -> Option<&'static str> {
        matches!(self, Self::PreviousKeyHasherSecret).then_some("AWSPREVIOUS")
    }

    /// The variables that it sets.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::PlanApiKey => &[var::PLAN_API_KEY.name],
            Self::AdminCredentials => &[var::ADMIN_USERNAME.name, var::ADMIN_PASSWORD_HASH.name],
            Self::KeyHasherSecret => &[var::KEY_HASHER_SECRET.name],
            Self::PreviousKeyHasherSecret => &[var::KEY_HASHER_SECRET_PREVIOUS.name],
            Self::Database => &[var::DATABASE_URL.name],
        }
    }

    /// Whether the service runs without it.
    pub fn may_be_missing(self) -> bool {
        matches!(self, Self::PlanApiKey | Self::AdminCredentials | Self::PreviousKeyHasherSecret)
    }

    /// The settings that it makes.
    ///
    /// # Errors
    /// The form that it should have; never anything of its value.
    pub fn settings(self, text: &str, ca_file: Option<&str>) -> Result<SecretSettings, &'static str> {
        let plain = |name| HashMap::from([(name, Secret::new(text.trim()))]);
        match self {
            Self::PlanApiKey => Ok(plain(var::PLAN_API_KEY.name)),
            Self::KeyHasherSecret => Ok(plain(var::KEY_HASHER_SECRET.name)),
            Self::PreviousKeyHasherSecret => Ok(plain(var::KEY_HASHER_SECRET_PREVIOUS.name)),
            Self::AdminCredentials => {
                let form = r#"must be {"username": "...", "password_hash": "$argon2id$..."}"#;
                let secret: AdminSecret = serde_json::from_str(text).map_err(|_| form)?;
                Ok(HashMap::from([
                    (var::ADMIN_USERNAME.name, Secret::new(secret.username)),
                    (var::ADMIN_PASSWORD_HASH.name, Secret::new(secret.password_hash)),
                ]))
            }
            Self::Database => {
                let form =
                    r#"must be {"username": "...", "password": "...", "host": "...", "port": 5432, "dbname": "..."}"#;
                let secret: DatabaseSecret = serde_json::from_str(text).map_err(|_| form)?;
                Ok(HashMap::from([(var::DATABASE_URL.name, Secret::new(secret.url(ca_file)))]))
            }
        }
    }
}

impl DatabaseSecret {
    /// The URL, with certificates checked unless the secret says otherwise.
    fn url(&self, ca_file: Option<&str>) -> String {
        let coded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let (user, password) = (coded(&self.username), coded(&self.password));
        let database = coded(self.dbname.as_deref().unwrap_or("claude_code_proxy"));
        let mode = coded(self.sslmode.as_deref().unwrap_or("verify-full"));
        let bundle = ca_file.map(|file| format!("&sslrootcert={}", coded(file))).unwrap_or_default();
        let (host, port) = (&self.host, self.port.unwrap_or(5432));
        format!("postgres://{user}:{password}@{host}:{port}/{database}?sslmode={mode}{bundle}")
    }
}

/// Where secrets are.
#[derive(Clone, Debug)]
pub struct SecretsConfig {
    /// `SECRETS_PREFIX`
    pub prefix: String,
    /// `DATABASE_CA_FILE`
    pub database_ca_file: Option<String>,
}

impl SecretsConfig {
    /// Reads what every role needs whose settings may be secrets; `None`: there is no Secrets Manager.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let prefix = env.parse(&var::SECRETS_PREFIX, |text| {
            let is_part = |b: u8| b.is_ascii_alphanumeric() || b"/_+=.@-".contains(&b);
            if text.bytes().all(is_part) && !text.ends_with('/') {
                Ok(text.to_owned())
            } else {
                Err("is no beginning of a secret's name; write it like claude-code-proxy")
            }
        });
        let database_ca_file = env.parse(&var::DATABASE_CA_FILE, |text| match std::fs::metadata(text) {
            Ok(file) if file.is_file() => Ok(text.to_owned()),
            Ok(_) => Err("is no file".to_owned()),
            Err(error) => Err(format!("cannot be read ({error})")),
        });
        Some(Self { prefix: prefix?, database_ca_file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_may_have_any_characters() {
        let password = r#"p@ss:w/o?r#d%20 &'"ü=+"#;
        let text = serde_json::json!({"username": "pro xy", "password": password, "host": "db.example", "port": 5433,
            "dbname": "a/b", "engine": "aurora-postgresql", "dbClusterIdentifier": "c"});
        let settings = SecretName::Database.settings(&text.to_string(), Some("/etc/rds ca.pem")).unwrap();
        let url = reqwest::Url::parse(settings["DATABASE_URL"].expose()).unwrap();
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
        assert_eq!((decoded(url.username()), decoded(url.password().unwrap())), ("pro xy".into(), password.into()));
        assert_eq!((url.host_str(), url.port(), decoded(url.path())), (Some("db.example"), Some(5433), "/a/b".into()));
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!((&query["sslmode"][..], &query["sslrootcert"][..]), ("verify-full", "/etc/rds ca.pem"));
        assert!(settings["DATABASE_URL"].expose().parse::<sqlx::postgres::PgConnectOptions>().is_ok());
    }

    #[test]
    fn a_wrong_form_is_told_without_the_value() {
        for name in [SecretName::Database, SecretName::AdminCredentials] {
            for text in ["hunter2", r#"{"password": "hunter2"}"#, ""] {
                let told = name.settings(text, None).unwrap_err();
                assert!(told.contains("username") && !told.contains("hunter2"), "{told}");
            }
        }
    }
}
