//! Looks at the server that `DATABASE_URL` names, so that a wrong value is told at once and by the variable's name.

use anyhow::{Context, Result, ensure};

use super::psql::Psql;

/// Fails when the value cannot be read, or when nothing usable answers there. No message holds the password.
pub(super) fn check(url: &str) -> Result<()> {
    ensure!(
        url.starts_with("postgres://") || url.starts_with("postgresql://"),
        "DATABASE_URL does not begin with postgres:// as it must; write it like \
         postgres://user:password@host:5432/database, or unset it to use a private database"
    );
    // Elsewhere a part of such a password would be taken for the host or the port, and be shown.
    ensure!(
        !has_raw_password(url),
        "DATABASE_URL cannot be read: there is an @ after the first / or ?; inside of a user name or a password write / as \
         %2F, ? as %3F, # as %23 and @ as %40"
    );
    Psql::new(url)?.query("select 1").map(drop).context(
        "cannot use the database that DATABASE_URL names; correct that variable, or unset it to use a private database",
    )
}

/// Whether the password seems to have a `/` or `?` in it, which ends the part of a URL where a password can be.
fn has_raw_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let port = authority.split_once(':').map(|(_, port)| port);
    !authority.contains('@') && tail.contains('@') && port.is_some_and(|port| port.parse::<u16>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_ends_its_part_of_the_url_is_noticed() {
        assert!(has_raw_password("postgres://u:p/w@h/db"));
        assert!(has_raw_password("postgres://u:p?w@h:5432/db"));
        assert!(!has_raw_password("postgres://u:p@w@h/db"));
        assert!(!has_raw_password("postgres://u:p%2Fw@h/db"));
        assert!(!has_raw_password("postgres://h:5432/a@b:c"));
        assert!(!has_raw_password("postgres://u@h/a@b"));
        assert!(!has_raw_password("postgres:///db?user=a@b"));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        for url in ["host=h password=hidden", "postgres://u:hid/den@h/db"] {
            let error = check(url).err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(error.contains("DATABASE_URL") && !error.contains("hid"), "{error}");
        }
    }
}
