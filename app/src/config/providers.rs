//! The two that can answer a request: the plan, and Bedrock.

use std::path::PathBuf;

use super::env::Environment;
use super::variables as var;
use crate::domain::{Dialect, Secret};

/// The plan.
#[derive(Clone, Debug)]
pub struct PlanConfig {
    /// `PLAN_BASE_URL`, without a trailing slash
    pub base_url: String,
    /// `PLAN_HTTP2_CONNECTIONS`; 0: HTTP/1.1
    pub http2_connections: usize,
    /// `PLAN_API_KEY`
    pub default_key: Option<Secret>,
    /// `METER_PLAN`
    pub metered: bool,
}

/// Bedrock.
#[derive(Clone, Debug)]
pub struct BedrockConfig {
    /// `BEDROCK_ENDPOINT_URL`; `None`: AWS's own
    pub endpoint_url: Option<String>,
    /// `BEDROCK_CONTROL_ENDPOINT_URL`; `None`: the one above, else AWS's own
    pub control_endpoint_url: Option<String>,
    /// `BEDROCK_API`
    pub dialect: Dialect,
    /// `BEDROCK_CAPABILITIES_FILE`; `None`: the table that comes with the proxy
    pub capabilities_file: Option<PathBuf>,
    /// `BEDROCK_MAX_BODY_SIZE`, bytes
    pub max_body: usize,
}

impl PlanConfig {
    pub(super) fn read(env: &mut Environment<'_>) -> Option<Self> {
        let base_url = env.base_url(&var::PLAN_BASE_URL);
        let http2_connections = env.parse(&var::PLAN_HTTP2_CONNECTIONS, |text| match text.parse() {
            Ok(number @ 0..=64) => Ok(number),
            _ => Err("must be a number from 0 to 64"),
        });
        let default_key = Self::default_key(env);
        let metered = env.parse(&var::METER_PLAN, |text| text.parse::<bool>().map_err(|_| "must be true or false"));
        Some(Self { base_url: base_url?, http2_connections: http2_connections?, default_key, metered: metered? })
    }

    /// Reads the key for requests that bring none.
    pub fn default_key(env: &mut Environment<'_>) -> Option<Secret> {
        env.secret(&var::PLAN_API_KEY, header_safe)
    }
}

impl BedrockConfig {
    pub(super) fn read(env: &mut Environment<'_>) -> Option<Self> {
        let endpoint_url = env.base_url(&var::BEDROCK_ENDPOINT_URL);
        let control_endpoint_url = env.base_url(&var::BEDROCK_CONTROL_ENDPOINT_URL);
        let dialect = env.parse(&var::BEDROCK_API, str::parse::<Dialect>);
        let capabilities_file = env.parse(&var::BEDROCK_CAPABILITIES_FILE, |text| match std::fs::metadata(text) {
            Ok(found) if found.is_file() => Ok(PathBuf::from(text)),
            _ => Err("is no file; write one with `claude-code-proxy capabilities`, or leave the setting out"),
        });
        let max_body = env.size(&var::BEDROCK_MAX_BODY_SIZE);
        Some(Self { endpoint_url, control_endpoint_url, dialect: dialect?, capabilities_file, max_body: max_body? })
    }
}

/// A key travels in a header, where line breaks and the like cannot be.
fn header_safe(text: &str) -> Result<(), String> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err("has spaces or characters that no key has".to_owned())
    }
}
