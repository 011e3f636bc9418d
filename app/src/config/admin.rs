//! Settings of the admin API: who the administrator is, and from where.

use ipnet::IpNet;

use super::env::Environment;
use super::variables as var;
use crate::domain::Secret;

/// Who may use the admin API.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// `ADMIN_USERNAME` and `ADMIN_PASSWORD_HASH`; `None`: nobody can log in.
    pub credentials: Option<AdminCredentials>,
    /// `ADMIN_ALLOWED_CIDRS`
    pub allowed: Vec<IpNet>,
    /// `TRUSTED_PROXIES`
    pub trusted_proxies: Vec<IpNet>,
}

/// The administrator.
#[derive(Clone, Debug)]
pub struct AdminCredentials {
    /// `ADMIN_USERNAME`
    pub username: String,
    /// `ADMIN_PASSWORD_HASH`, Argon2id in the PHC string form
    pub password_hash: Secret,
}

impl AdminConfig {
    /// Reads what `serve` needs.
    pub(super) fn read(env: &mut Environment<'_>) -> Option<Self> {
        let credentials = AdminCredentials::read(env);
        let allowed = env.parse(&var::ADMIN_ALLOWED_CIDRS, networks);
        // Nobody's word is taken unless it is set.
        let trusted_proxies = env.parse(&var::TRUSTED_PROXIES, networks).unwrap_or_default();
        Some(Self { credentials, allowed: allowed?, trusted_proxies })
    }
}

impl AdminCredentials {
    /// Reads who the administrator is; `None`: nobody.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let username = env.parse(&var::ADMIN_USERNAME, |text| match text.chars().count() {
            1..=255 if !text.contains(':') => Ok(text.to_owned()),
            _ => Err("must have 1 to 255 characters, and no colon"),
        });
        let password_hash = env.secret(&var::ADMIN_PASSWORD_HASH, |text| {
            let parsed = argon2::PasswordHash::new(text);
            if parsed.is_ok_and(|hash| hash.algorithm.as_str() == "argon2id" && hash.hash.is_some()) {
                Ok(())
            } else {
                Err("is no Argon2id hash ($argon2id$...); make one with: claude-code-proxy hash-password".to_owned())
            }
        });
        match (username, password_hash) {
            (Some(username), Some(password_hash)) => Some(Self { username, password_hash }),
            (None, Some(_)) => {
                env.problem(&var::ADMIN_USERNAME, None, "is not set, but ADMIN_PASSWORD_HASH is; set both or neither");
                None
            }
            (Some(_), None) => {
                env.problem(&var::ADMIN_PASSWORD_HASH, None, "is not set, but ADMIN_USERNAME is; set both or neither");
                None
            }
            (None, None) => None,
        }
    }
}

fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |text: &str| {
        let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| address()).map(|network| network.trunc())
    };
    text.split(',')
        .map(str::trim)
        .map(|text| network(text).map_err(|_| format!("{text:?} is no network; write them like 10.0.0.0/16,::1/128")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";

    fn read(pairs: &[(&str, &str)]) -> Result<AdminConfig, String> {
        let lookup = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let mut env = Environment::new(lookup);
        let admin = AdminConfig::read(&mut env);
        env.finish().map_err(|problems| problems.to_string())?;
        Ok(admin.unwrap())
    }

    #[test]
    fn without_settings_nobody_logs_in_and_only_this_machine_may_try() {
        let admin = read(&[]).unwrap();
        assert!(admin.credentials.is_none() && admin.trusted_proxies.is_empty());
        assert_eq!(admin.allowed, ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
    }

    #[test]
    fn networks_and_single_addresses_are_taken() {
        let admin = read(&[("ADMIN_ALLOWED_CIDRS", "10.1.2.3/16, 192.0.2.7,2001:db8::/32")]).unwrap();
        let expected = ["10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32"].map(|text| text.parse().unwrap());
        assert_eq!(admin.allowed, expected);
    }

    #[test]
    fn wrong_settings_are_told_without_the_hash() {
        for (pairs, expected) in [
            (&[("ADMIN_USERNAME", "ada")][..], "ADMIN_PASSWORD_HASH: is not set, but ADMIN_USERNAME is"),
            (&[("ADMIN_PASSWORD_HASH", HASH)][..], "ADMIN_USERNAME: is not set"),
            (&[("ADMIN_USERNAME", "a:b"), ("ADMIN_PASSWORD_HASH", HASH)][..], "no colon"),
            (&[("ADMIN_USERNAME", "ada"), ("ADMIN_PASSWORD_HASH", "hunter2")][..], "hash-password"),
            (&[("ADMIN_ALLOWED_CIDRS", "10.0.0.0/33")][..], "\"10.0.0.0/33\" is no network"),
            (&[("TRUSTED_PROXIES", "alb")][..], "\"alb\" is no network"),
        ] {
            let told = read(pairs).unwrap_err();
            assert!(told.contains(expected) && !told.contains("hunter2") && !told.contains("$argon2id$v"), "{told}");
        }
        assert!(read(&[("ADMIN_USERNAME", "ada"), ("ADMIN_PASSWORD_HASH", HASH)]).unwrap().credentials.is_some());
    }
}
