//! `LOG_LEVEL`: how much is logged, as a whole or by part of the proxy, written like `RUST_LOG`.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// Target of everything that this crate logs.
const OURS: &str = "claude_code_proxy";

/// How much is logged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogFilter {
    directives: Vec<(String, LevelFilter)>,
    default: LevelFilter,
}

impl LogFilter {
    /// What of it concerns which target; a later directive for the same target wins over an earlier one.
    ///
    /// Libraries are kept at `warn`, because below that some of them log requests.
    pub fn targets(&self) -> Targets {
        Targets::new()
            .with_default(self.default.min(LevelFilter::WARN))
            .with_target(OURS, self.default)
            .with_targets(self.directives.iter().cloned())
    }
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut filter = Self { directives: Vec::new(), default: LevelFilter::INFO };
        for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
            let (target, level) =
                directive.split_once('=').map_or((None, directive), |(t, l)| (Some(t.trim()), l.trim()));
            let level = Some(level).filter(|level| !level.is_empty()).and_then(|level| level.parse().ok());
            let level: LevelFilter = level.ok_or(
                "has no level there; write error, warn, info, debug or trace, or a list such as \
                 info,claude_code_proxy::relay=debug",
            )?;
            match target {
                None => filter.default = level,
                Some(target) if !is_ours(target) && level > LevelFilter::WARN => {
                    return Err(format!(
                        "asks for more than `warn` of {target:?}; below that libraries log requests. Parts of the proxy are \
                         written like claude_code_proxy::relay=debug"
                    ));
                }
                Some(target) => filter.directives.push((target.to_owned(), level)),
            }
        }
        Ok(filter)
    }
}

fn is_ours(target: &str) -> bool {
    target.strip_prefix(OURS).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn would_log(filter: &str, target: &str, level: Level) -> bool {
        filter.parse::<LogFilter>().unwrap().targets().would_enable(target, &level)
    }

    #[test]
    fn a_level_is_about_the_proxy_and_libraries_stay_at_warn() {
        assert!(would_log("debug", "claude_code_proxy::relay", Level::DEBUG));
        assert!(!would_log("info", "claude_code_proxy::relay", Level::DEBUG));
        assert!(would_log("trace", "hyper", Level::WARN) && !would_log("trace", "hyper", Level::INFO));
        assert!(!would_log("error", "hyper", Level::WARN));
    }

    #[test]
    fn parts_have_levels_of_their_own() {
        let filter = "warn, claude_code_proxy::relay=debug,sqlx=off";
        assert!(would_log(filter, "claude_code_proxy::relay::plan", Level::DEBUG));
        assert!(!would_log(filter, "claude_code_proxy::meter", Level::INFO));
        assert!(!would_log(filter, "sqlx::pool", Level::ERROR) && would_log(filter, "hyper", Level::WARN));
        assert!(would_log("claude_code_proxy=error", "hyper", Level::WARN));
    }

    #[test]
    fn what_would_log_requests_is_refused() {
        for (filter, expected) in [
            ("hyper=debug", "hyper"),
            ("info,aws_smithy_runtime=trace", "aws_smithy_runtime"),
            ("claude_code_proxy_evil=debug", "libraries"),
            ("loud", "no level"),
            ("claude_code_proxy=", "no level"),
        ] {
            let told = filter.parse::<LogFilter>().unwrap_err();
            assert!(told.contains(expected), "{told}");
        }
    }
}
