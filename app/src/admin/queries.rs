//! Query parameters that an operation does not have: they are refused, because a report of something else than what was
//! asked for looks like the right one.

use percent_encoding::percent_decode_str;

use super::problem::Problem;
use super::words::one_of;
use crate::openapi::Document;

/// Longest name that is repeated in an answer.
const SHOWN: usize = 64;

/// Refuses the first parameter that the document does not name for the operation.
pub(super) fn check(document: &Document, method: &str, path: &str, query: &str) -> Result<(), Problem> {
    let Some(known) = document.query_parameters(method, path) else { return Ok(()) };
    let mut names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    let decoded = |name: &str| percent_decode_str(name).decode_utf8_lossy().into_owned();
    let Some(name) = names.find(|name| !name.is_empty() && !known.contains(&decoded(name).as_str())) else {
        return Ok(());
    };
    let name: String = decoded(name).chars().take(SHOWN).collect();
    let problem = if known.is_empty() {
        "this operation has no query parameters".to_owned()
    } else {
        format!("there is no such query parameter; {}", one_of(&known))
    };
    Err(Problem { code: "unknown_parameter", ..Problem::unreadable(&name, problem) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::admin_service;

    #[test]
    fn only_what_is_documented_is_taken() {
        let document = Document::of(&admin_service());
        let refused = |method: &str, path: &str, query: &str| {
            let problem = check(&document, method, path, query).err()?;
            Some(problem.fields[0].clone())
        };
        assert_eq!(refused("GET", "/admin/usage", "period=today&user%5Fid=7"), None);
        assert_eq!(refused("GET", "/admin/usage", ""), None);
        assert_eq!(refused("GET", "/admin/nothing", "a=b"), None);
        let slip = refused("GET", "/admin/usage", "perod=today").unwrap();
        assert_eq!(slip.name, "perod");
        assert!(slip.problem.contains("period,") || slip.problem.contains(", period"), "{slip:?}");
        let none = refused("GET", "/admin/users/7", "verbose").unwrap();
        assert!(none.problem.contains("no query parameters"), "{none:?}");
    }
}
