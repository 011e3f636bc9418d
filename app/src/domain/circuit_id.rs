//! What a circuit is called where people and instances speak of it.

use std::fmt;
use std::str::FromStr;

use super::Family;
use super::bedrock_target::check_region;

/// A circuit, by a name that gives nothing away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CircuitId {
    /// `plan`: the plan as a whole.
    Plan,
    /// `bedrock-us-east-1`: Bedrock in a region.
    Bedrock(String),
    /// `login-0123abcd-opus`: the plan for a login and a family of models. The login is called by the first digits of its
    /// hash, so that two may share a name; what is done to one is done to both then.
    Login(String, Family),
}

/// Digits of a login's hash in its name.
pub const LOGIN_DIGITS: usize = 8;

impl fmt::Display for CircuitId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan => formatter.write_str("plan"),
            Self::Bedrock(region) => write!(formatter, "bedrock-{region}"),
            Self::Login(login, family) => write!(formatter, "login-{login}-{}", family.name()),
        }
    }
}

impl FromStr for CircuitId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = "is the id of no circuit; ids are like plan, bedrock-us-east-1 and login-0123abcd-opus";
        if text == "plan" {
            return Ok(Self::Plan);
        }
        if let Some(region) = text.strip_prefix("bedrock-").filter(|region| check_region(region).is_ok()) {
            return Ok(Self::Bedrock(region.to_owned()));
        }
        let (login, family) = text.strip_prefix("login-").and_then(|rest| rest.split_once('-')).ok_or(unknown)?;
        let is_login =
            login.len() == LOGIN_DIGITS && login.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let family = Some(Family::parse(family)).filter(|known| known.name() == family && is_login).ok_or(unknown)?;
        Ok(Self::Login(login.to_owned(), family))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written_and_nothing_else_is() {
        let login = CircuitId::Login("0123abcd".to_owned(), Family::Opus);
        for id in [CircuitId::Plan, CircuitId::Bedrock("us-gov-west-1".to_owned()), login] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for text in
            ["", "plan ", "bedrock-", "bedrock-a b", "login-0123abcd-of_tomorrow", "login-0123ABCD-opus", "login-"]
        {
            assert!(text.parse::<CircuitId>().is_err(), "{text}");
        }
    }
}
