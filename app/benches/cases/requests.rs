//! What is done with the head of a request: whose it is, whether it may, and where it goes.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claude_code_proxy::auth::{Holders, KeyHasher, sweep, take_from_headers};
use claude_code_proxy::domain::{AccessKey, ClientPrincipal, Family, MappedModel, ModelMap, RoutingStrategy, Secret};
use claude_code_proxy::ingress::RateLimit;
use claude_code_proxy::route::circuits::{CircuitKey, Circuits};
use claude_code_proxy::route::decision::{Means, decide};
use claude_code_proxy::route::model;
use claude_code_proxy::route::stays::{Conversation, Stays};
use claude_code_proxy::wire::headers::strip_request;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::{Case, Prepared};

pub(super) const CASES: &[Case] = &[
    Case { name: "take-key-from-headers", prepare: take_key },
    Case { name: "strip-headers", prepare: strip },
    Case { name: "look-up-key", prepare: look_up },
    Case { name: "check-rate", prepare: check_rate },
    Case { name: "route-to-plan", prepare: route_to_plan },
    Case { name: "choose-bedrock-model", prepare: choose_model },
];

const KEY: &str = "ak_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
const SESSION: &str = "45590fd9-d2fb-4e36-945c-8e166bb72aad";

/// What Claude Code sends, behind a load balancer.
pub(super) fn headers() -> HeaderMap {
    let betas = "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,\
                 thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20,effort-2025-11-24";
    let pairs = [
        ("accept", "application/json"),
        ("authorization", "Bearer sk-ant-oat01-made-up-for-a-benchmark"),
        ("content-type", "application/json"),
        ("user-agent", "claude-cli/2.1.330 (external, sdk-cli)"),
        ("x-claude-code-session-id", SESSION),
        ("x-stainless-arch", "x64"),
        ("x-stainless-lang", "js"),
        ("x-stainless-os", "Linux"),
        ("x-stainless-package-version", "0.128.0"),
        ("x-stainless-retry-count", "0"),
        ("x-stainless-runtime", "node"),
        ("x-stainless-runtime-version", "v26.12.1"),
        ("x-stainless-timeout", "600"),
        ("anthropic-beta", betas),
        ("anthropic-dangerous-direct-browser-access", "true"),
        ("anthropic-version", "2023-06-01"),
        ("x-app", "cli"),
        ("connection", "keep-alive"),
        ("host", "proxy.example.com"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("content-length", "49779"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678"),
    ];
    pairs.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).into_iter().collect()
}

fn take_key() -> Prepared {
    let (headers, key) = (headers(), key());
    Prepared::repeated(move || {
        let mut headers = headers.clone();
        let presented = take_from_headers(&mut headers);
        sweep(&mut headers, &key);
        (headers, presented)
    })
}

fn strip() -> Prepared {
    let headers = headers();
    Prepared::repeated(move || {
        let mut headers = headers.clone();
        strip_request(&mut headers);
        headers
    })
}

/// The holder of a key that is remembered.
fn look_up() -> Prepared {
    let (hasher, holders) = (hasher(), Holders::new(Duration::from_mins(5)));
    holders.remember(hasher.hash(KEY), Some(Arc::new(principal())), &holders.question());
    Prepared::repeated(move || holders.recall(&hasher.hash(black_box(KEY))))
}

fn check_rate() -> Prepared {
    let limit = Arc::new(RateLimit::new(NonZeroU32::new(1_000_000)));
    Prepared::repeated(move || limit.take(black_box(Uuid::from_u128(1))))
}

/// The decision for a request of a conversation that the plan serves, and its report on how that went.
fn route_to_plan() -> Prepared {
    let (hasher, circuits, stays) = (hasher(), Circuits::default(), Stays::new(Duration::from_mins(5)));
    let conversation = Conversation {
        access_key_id: Uuid::from_u128(1),
        session_id: Some(SESSION.to_owned()),
        agent_id: None,
        family: Family::Opus,
    };
    Prepared::repeated(move || {
        let means = Means {
            strategy: RoutingStrategy::PlanFirst,
            plan_credential: true,
            bedrock_key: true,
            fits_bedrock: true,
        };
        let decision = decide(black_box(means));
        let credential = hasher.hash_bytes(black_box(b"Bearer sk-ant-oat01-made-up-for-a-benchmark"));
        let key = CircuitKey { credential, family: conversation.family };
        let now = Instant::now();
        let phase = circuits.phase(&key, now);
        let begun = stays.begun(&conversation);
        let closed = circuits.admit(key, now).map(|ticket| ticket.served(now));
        (decision, phase, begun, closed, stays.begun(&conversation))
    })
}

fn choose_model() -> Prepared {
    let (map, principal) = (map(), principal());
    Prepared::repeated(move || model::target(black_box("claude-opus-4-6-20260205[1m]"), &principal, &map))
}

/// As many models as there are.
pub(super) fn map() -> ModelMap {
    let names =
        ["fable-5-1", "fable-5", "opus-5-5", "opus-5", "opus-4-8", "opus-4-7", "sonnet-5-5", "sonnet-5", "haiku-5-5"];
    let mapped = |name: &str| MappedModel {
        name: format!("claude-{name}"),
        display_name: name.to_owned(),
        bedrock_model: format!("anthropic.claude-{name}"),
    };
    let mut models: Vec<MappedModel> = names.map(mapped).into();
    models.push(MappedModel { bedrock_model: "anthropic.claude-opus-4-6-v1".to_owned(), ..mapped("opus-4-6") });
    ModelMap::of(models).0
}

fn principal() -> ClientPrincipal {
    ClientPrincipal {
        user_id: Uuid::from_u128(2),
        access_key_id: Uuid::from_u128(1),
        key_prefix: "ak_012345678".to_owned(),
        routing_strategy: RoutingStrategy::PlanFirst,
        monthly_budget_usd: None,
        bedrock_region: "us-east-1".to_owned(),
        bedrock_model: "global.anthropic.claude-opus-5-5".to_owned(),
        family_models: Vec::new(),
        expires_at: None,
        bedrock_key: None,
    }
}

fn key() -> AccessKey {
    AccessKey::parse(KEY).expect("a key")
}

fn hasher() -> KeyHasher {
    KeyHasher::new(&Secret::new("a secret of a server that is made up for a benchmark"))
}
