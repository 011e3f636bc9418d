//! Logical ids: a pure function of the path, by the rule of the AWS CDK.

use sha2::{Digest, Sha256};

/// Stands for the main resource of a construct and adds nothing to the readable part.
pub(crate) const MAIN: &str = "Resource";

/// CloudFormation takes ids of up to 255 characters; the rest is the hash.
const READABLE: usize = 240;

/// The readable path and eight digits of a hash over it; a path of one part is its own id.
pub(crate) fn logical_id(path: &[String]) -> String {
    if let [only] = path
        && only.len() <= READABLE
    {
        return alphanumeric(only);
    }
    let mut readable = String::new();
    let mut last = "";
    for part in path.iter().filter(|part| *part != MAIN) {
        if part != last {
            readable.push_str(&alphanumeric(part));
        }
        last = part;
    }
    readable.truncate(READABLE);
    readable + &hex::encode_upper(&Sha256::digest(path.join("/"))[..4])
}

/// CloudFormation takes nothing else in an id.
fn alphanumeric(part: &str) -> String {
    part.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(path: &str) -> String {
        logical_id(&path.split('/').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_path_of_one_part_is_its_own_id() {
        assert_eq!(id("HighErrorRate-Plan"), "HighErrorRatePlan");
    }

    #[test]
    fn a_longer_path_ends_with_its_hash() {
        let topic = id("Alerts/Resource");
        assert!(topic.starts_with("Alerts") && topic.len() == "Alerts".len() + 8, "{topic}");
        assert_eq!(topic, id("Alerts/Resource"), "the same path, the same id");
        assert_ne!(topic, id("Alerts/Policy"));
        assert_ne!(id("A/BC"), id("AB/C"), "what reads alike differs in its hash");
    }

    #[test]
    fn an_id_is_never_longer_than_cloudformation_takes() {
        assert_eq!(id(&format!("{}/Resource", "x".repeat(300))).len(), 248);
    }
}
