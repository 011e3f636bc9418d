//! Reads variables one by one and remembers every problem, so that a wrong environment is told in one go.

use std::time::Duration;

use super::secrets::SecretSettings;
use super::variables::{Variable, WhenUnset};
use crate::domain::Secret;

type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A source of variables: the process's environment, or a map in tests.
pub struct Environment<'a> {
    lookup: Box<Lookup<'a>>,
    problems: Vec<String>,
}

/// Everything that is wrong with the environment; values of secrets are not in it.
#[derive(Debug, thiserror::Error)]
#[error("the settings cannot be used:\n{}", .0.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigProblems(pub Vec<String>);

impl<'a> Environment<'a> {
    /// The process's own environment.
    pub fn of_process() -> Self {
        // What is no UTF-8 is kept with marks in place of the broken bytes, so that the reading that fails names it.
        Self::new(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// The same, and what was made of secrets for what is not set in it.
    pub fn of_process_and(secrets: SecretSettings) -> Self {
        let process = Self::of_process();
        Self::new(move |name| {
            let own = (process.lookup)(name).filter(|value| !value.trim().is_empty());
            own.or_else(|| secrets.get(name).map(|secret| secret.expose().to_owned()))
        })
    }

    /// Any other source. A variable that is set but empty counts as not set.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self { lookup: Box::new(lookup), problems: Vec::new() }
    }

    /// Reports what was found wrong, if anything was.
    ///
    /// # Errors
    /// All problems that the readings below have noted.
    pub fn finish(self) -> Result<(), ConfigProblems> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigProblems(self.problems)) }
    }

    /// Notes a problem of a variable; `value` is shown, so it must not be a secret.
    pub fn problem(&mut self, variable: &Variable, value: Option<&str>, what: &str) {
        let shown = value.map(|v| format!("={v:?}")).unwrap_or_default();
        self.problems.push(format!("{}{shown}: {what}", variable.name));
    }

    /// Whether there is a value, right or wrong.
    pub fn is_set(&self, variable: &Variable) -> bool {
        self.raw(variable).is_some()
    }

    fn raw(&self, variable: &Variable) -> Option<String> {
        (self.lookup)(variable.name).filter(|value| !value.trim().is_empty())
    }

    /// A value read by `parse`, whose error says what form is expected. `None` when it is unset or wrong.
    pub fn parse<T, E: std::fmt::Display>(
        &mut self,
        variable: &Variable,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let raw = self.raw(variable);
        let text = match (&raw, variable.default) {
            (Some(text), _) => text.trim(),
            (None, WhenUnset::Value(default)) => default,
            (None, WhenUnset::Unset) => return None,
            (None, WhenUnset::Required) => {
                self.problem(variable, None, &format!("is not set. {}", variable.meaning));
                return None;
            }
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                // What holds a login is not repeated.
                let shown = Some(text).filter(|text| !text.contains('@'));
                self.problem(variable, shown, &error.to_string());
                None
            }
        }
    }

    /// A secret; its value never enters a message.
    pub fn secret(&mut self, variable: &Variable, check: impl Fn(&str) -> Result<(), String>) -> Option<Secret> {
        let Some(text) = self.raw(variable) else {
            if variable.default == WhenUnset::Required {
                self.problem(variable, None, &format!("is not set. {}", variable.meaning));
            }
            return None;
        };
        match check(&text) {
            Ok(()) => Some(Secret::new(text)),
            Err(what) => {
                self.problem(variable, None, &what);
                None
            }
        }
    }

    /// A duration such as `30s`, `2m` or `250ms`.
    pub fn duration(&mut self, variable: &Variable) -> Option<Duration> {
        self.parse(variable, |text| match parse_duration(text)? {
            duration if duration.is_zero() => Err("must be longer than nothing"),
            duration => Ok(duration),
        })
    }

    /// The same for a wait that can be left out with `0s`.
    pub fn duration_or_zero(&mut self, variable: &Variable) -> Option<Duration> {
        self.parse(variable, parse_duration)
    }

    /// A number of bytes such as `32MiB`.
    pub fn size(&mut self, variable: &Variable) -> Option<usize> {
        self.parse(variable, |text| {
            let size: bytesize::ByteSize =
                text.parse().map_err(|_| "is no size; write it like 512KiB or 32MiB".to_owned())?;
            usize::try_from(size.as_u64()).map_err(|_| "is more than this machine can address".to_owned())
        })
    }

    /// An address of an HTTP server, without its trailing slash.
    pub fn base_url(&mut self, variable: &Variable) -> Option<String> {
        self.parse(variable, |text| {
            let url = reqwest::Url::parse(text)
                .map_err(|error| format!("is no URL ({error}); write it like https://host"))?;
            if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
                return Err("must begin with https:// or http:// and name a host".to_owned());
            }
            if url.query().is_some()
                || url.fragment().is_some()
                || !url.username().is_empty()
                || url.password().is_some()
            {
                return Err("must have no query, fragment, user name or password".to_owned());
            }
            Ok(url.as_str().trim_end_matches('/').to_owned())
        })
    }
}

const LONGEST: Duration = Duration::from_hours(365 * 24);

fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let duration = humantime::parse_duration(text).map_err(|_| "is no duration; write it like 30s, 2m or 250ms")?;
    // Longer ones cannot be added to every point in time.
    if duration > LONGEST { Err("is longer than a year") } else { Ok(duration) }
}
