//! Decides which model of Bedrock serves a request.

use crate::domain::bedrock_target::check_model;
use crate::domain::{BedrockTarget, ClientPrincipal, Family, ModelMap};

/// What the ids of Bedrock's inference profiles begin with.
const GEOGRAPHIES: [&str; 8] = ["us.", "us-gov.", "eu.", "apac.", "jp.", "au.", "in.", "global."];
/// The maker's name in the ids of its models.
const MAKER: &str = "anthropic.";
/// With this at the end of a name Claude Code asks for a context of a million tokens; no provider knows it as a name.
const LONG_CONTEXT: &str = "[1m]";

/// What Bedrock is asked for in place of the model `asked`, which any client may have made up. The result can be part of
/// a URL, as long as the key's own region and models can.
pub fn target(asked: &str, key: &ClientPrincipal, map: &ModelMap) -> BedrockTarget {
    let name = without_suffix(asked);
    let default = &key.bedrock_model;
    let of_family = || key.family_model(Family::of(name)).map(str::to_owned);
    // An ARN says nothing of its neighbours, and whoever set it wants its accounting.
    let arn = || is_arn(default).then(|| default.clone());
    let mapped = || map.find(name).and_then(|model| addressed(&model.bedrock_model, key));
    let model = explicit(name, key).or_else(of_family).or_else(arn).or_else(mapped).unwrap_or_else(|| default.clone());
    BedrockTarget { region: key.bedrock_region.clone(), model }
}

/// The name without `[1m]` at its end.
fn without_suffix(name: &str) -> &str {
    match name.len().checked_sub(LONG_CONTEXT.len()).and_then(|at| name.split_at_checked(at)) {
        Some((rest, end)) if end.eq_ignore_ascii_case(LONG_CONTEXT) => rest,
        _ => name,
    }
}

/// A name that says itself what to ask Bedrock for.
fn explicit(name: &str, key: &ClientPrincipal) -> Option<String> {
    let is_id = is_arn(name) || name.starts_with(MAKER) || name.contains(".anthropic.");
    (is_id && check_model(name).is_ok()).then(|| addressed(name, key))?
}

/// The form in which a model can be asked for: ARNs and profiles as they are, and an id without geography as the profile
/// that fits, because Bedrock refuses most bare ids. `None` for what the key's region cannot have.
fn addressed(model: &str, key: &ClientPrincipal) -> Option<String> {
    if is_arn(model) {
        return (arn_region(model) == Some(&key.bedrock_region)).then(|| model.to_owned());
    }
    let model = if model.starts_with(MAKER) { format!("{}{model}", geography(key)) } else { model.to_owned() };
    check_model(&model).is_ok().then_some(model)
}

/// The geography that the administrator has chosen with the key's default model, else the narrowest that Bedrock has for
/// the current models in the key's region.
fn geography(key: &ClientPrincipal) -> &'static str {
    let chosen = GEOGRAPHIES.into_iter().find(|geography| key.bedrock_model.starts_with(geography));
    chosen.unwrap_or(match key.bedrock_region.as_str() {
        region if region.starts_with("us-gov-") => "us-gov.",
        region if region.starts_with("us-") => "us.",
        region if region.starts_with("eu-") => "eu.",
        "ap-northeast-1" | "ap-northeast-3" => "jp.",
        "ap-southeast-2" | "ap-southeast-4" => "au.",
        // Seoul above all, which has no other.
        _ => "global.",
    })
}

fn is_arn(model: &str) -> bool {
    model.starts_with("arn:")
}

/// The region of `arn:aws:bedrock:REGION:...`.
fn arn_region(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':').skip(2);
    (parts.next() == Some("bedrock")).then(|| parts.next())?
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{MappedModel, RoutingStrategy};

    fn key(region: &str, default: &str, family_models: &[(Family, &str)]) -> ClientPrincipal {
        ClientPrincipal {
            user_id: Uuid::nil(),
            access_key_id: Uuid::nil(),
            key_prefix: "ak_".to_owned(),
            routing_strategy: RoutingStrategy::PlanFirst,
            monthly_budget_usd: None,
            bedrock_region: region.to_owned(),
            bedrock_model: default.to_owned(),
            family_models: family_models.iter().map(|(family, model)| (*family, (*model).to_owned())).collect(),
            expires_at: None,
            bedrock_key: None,
        }
    }

    fn map() -> ModelMap {
        let arn_elsewhere = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/y";
        let rows = [
            ("claude-opus-4", "anthropic.claude-opus-4-20250514-v1:0"),
            ("claude-opus-4-6", "anthropic.claude-opus-4-6-v1"),
            ("claude-haiku-5-5", "anthropic.claude-haiku-5-5"),
            ("claude-pinned", "eu.anthropic.claude-pinned"),
            ("claude-elsewhere", arn_elsewhere),
        ];
        let mapped = |(name, bedrock): (&str, &str)| MappedModel {
            name: name.to_owned(),
            display_name: name.to_owned(),
            bedrock_model: bedrock.to_owned(),
        };
        ModelMap::of(rows.map(mapped).into()).0
    }

    fn model(asked: &str, key: &ClientPrincipal) -> String {
        target(asked, key, &map()).model
    }

    const DEFAULT: &str = "global.anthropic.claude-opus-5-5";
    const ARN: &str = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x";

    /// B-29, B-30, B-31, B-32
    #[test]
    fn every_form_of_a_name_has_its_model() {
        let key = key("us-east-1", DEFAULT, &[]);
        for (asked, expected) in [
            ("claude-opus-4-6", "global.anthropic.claude-opus-4-6-v1"),
            ("claude-opus-4-6[1m]", "global.anthropic.claude-opus-4-6-v1"),
            ("claude-opus-4-6-20260205[1M]", "global.anthropic.claude-opus-4-6-v1"),
            ("claude-opus-4-20250514", "global.anthropic.claude-opus-4-20250514-v1:0"),
            // No neighbour stands in for what is not mapped.
            ("claude-opus-4-8", DEFAULT),
            ("claude-opus-6", DEFAULT),
            ("my-model", DEFAULT),
            ("", DEFAULT),
            ("é", DEFAULT),
            ("[1m]", DEFAULT),
            ("claude-pinned", "eu.anthropic.claude-pinned"),
            ("claude-elsewhere", DEFAULT),
            // Whoever names a profile gets it, and a bare id its profile.
            ("eu.anthropic.claude-opus-4-7", "eu.anthropic.claude-opus-4-7"),
            ("eu.anthropic.claude-opus-4-7[1m]", "eu.anthropic.claude-opus-4-7"),
            ("anthropic.claude-opus-4-7", "global.anthropic.claude-opus-4-7"),
            (ARN, ARN),
            ("arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/x", DEFAULT),
            ("arn:aws:s3:us-east-1:123456789012:x", DEFAULT),
            ("arn:", DEFAULT),
            // What can be no part of a URL is no model.
            ("us.anthropic.x/../y", DEFAULT),
            ("us.anthropic.x?y", DEFAULT),
        ] {
            assert_eq!(model(asked, &key), expected, "{asked}");
        }
    }

    /// B-31
    #[test]
    fn the_geography_is_that_of_the_default_model_else_that_of_the_region() {
        for (region, expected) in [
            ("us-gov-west-1", "us-gov."),
            ("us-east-1", "us."),
            ("eu-central-1", "eu."),
            ("ap-northeast-1", "jp."),
            ("ap-northeast-3", "jp."),
            ("ap-southeast-2", "au."),
            ("ap-southeast-4", "au."),
            ("ap-northeast-2", "global."),
            ("ap-south-1", "global."),
            ("ca-central-1", "global."),
        ] {
            let bare = key(region, "anthropic.claude-opus-5-5", &[]);
            assert_eq!(model("claude-haiku-5-5", &bare), format!("{expected}anthropic.claude-haiku-5-5"));
            assert_eq!(model("unknown", &bare), "anthropic.claude-opus-5-5", "an administrator's word stays");
            for chosen in GEOGRAPHIES {
                let key = key(region, &format!("{chosen}anthropic.claude-opus-5-5"), &[]);
                assert_eq!(model("claude-haiku-5-5", &key), format!("{chosen}anthropic.claude-haiku-5-5"));
            }
        }
    }

    #[test]
    fn the_keys_own_models_come_before_the_map() {
        let haiku = "anthropic.claude-haiku-4-5-20251001-v1:0";
        let of_family = key("us-east-1", DEFAULT, &[(Family::Haiku, haiku), (Family::Other, ARN)]);
        assert_eq!(model("claude-haiku-5-5", &of_family), haiku, "as the administrator wrote it");
        assert_eq!(model("claude-haiku-9[1m]", &of_family), haiku);
        assert_eq!(model("my-model", &of_family), ARN);
        assert_eq!(model("claude-opus-4-6", &of_family), "global.anthropic.claude-opus-4-6-v1");
        assert_eq!(model("us.anthropic.claude-haiku-5-5", &of_family), "us.anthropic.claude-haiku-5-5");

        let by_arn = key("us-east-1", ARN, &[(Family::Haiku, haiku)]);
        assert_eq!(model("claude-opus-4-6", &by_arn), ARN, "it says nothing of its neighbours");
        assert_eq!(model("claude-haiku-5-5", &by_arn), haiku);
        assert_eq!(model("us.anthropic.claude-opus-5", &by_arn), "us.anthropic.claude-opus-5");
    }
}
