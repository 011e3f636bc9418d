//! A Bedrock API key: what kind it is and until when it works, as far as it tells itself.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{AccessKey, Secret};

/// How short-term keys begin; the rest is a presigned URL in base64.
const SHORT_TERM: &str = "bedrock-api-key-";
/// How long-term keys begin.
const LONG_TERM: &str = "ABSK";
/// More than any key has: a header has to take it.
const MAX_CHARS: usize = 8192;
/// Short-term keys live 12 hours; what says something beyond this is no time of life.
const MAX_SECONDS: i64 = 7 * 24 * 3600;

/// AWS's generators pad, and people lose the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Kinds of Bedrock keys.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum BedrockKeyKind {
    /// Made from somebody's session; lives hours.
    ShortTerm,
    /// Made in the console; lives days or for ever, and does not say which.
    LongTerm,
    /// Of a form that is not known here.
    #[default]
    Unknown,
}

/// A key that has the form of one.
#[derive(Clone, Debug)]
pub struct BedrockKey {
    /// The key.
    pub secret: Secret,
    /// Its kind.
    pub kind: BedrockKeyKind,
    /// Until when it works, where it says so.
    pub expires_at: Option<DateTime<Utc>>,
}

impl BedrockKeyKind {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::ShortTerm => "short_term",
            Self::LongTerm => "long_term",
            Self::Unknown => "unknown",
        }
    }

    /// Reads that name.
    pub fn parse(name: &str) -> Self {
        match name {
            "short_term" => Self::ShortTerm,
            "long_term" => Self::LongTerm,
            _ => Self::Unknown,
        }
    }
}

impl BedrockKey {
    /// Reads a key as people paste it, with white space around it.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and never repeats anything of it.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if text.len() > MAX_CHARS {
            return Err(format!("it has more than {MAX_CHARS} characters; no Bedrock key is as long"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has a space, a line break or another character that no key has; copy it again".to_owned());
        }
        if AccessKey::looks_like_one(text) || text.starts_with("sk-ant-") {
            return Err("it is the key of something else; a Bedrock API key comes from the console of AWS".to_owned());
        }
        let expires_at = text.strip_prefix(SHORT_TERM).and_then(end_of_short_term);
        let kind = match expires_at {
            Some(_) => BedrockKeyKind::ShortTerm,
            None if text.starts_with(LONG_TERM) => BedrockKeyKind::LongTerm,
            None => BedrockKeyKind::Unknown,
        };
        Ok(Self { secret: Secret::new(text), kind, expires_at })
    }
}

/// When a short-term key ends: what its presigned URL says.
fn end_of_short_term(encoded: &str) -> Option<DateTime<Utc>> {
    let url = zeroize::Zeroizing::new(BASE64.decode(encoded).ok()?);
    let (_, query) = std::str::from_utf8(&url).ok()?.split_once('?')?;
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| decoded(value))
    };
    let start = NaiveDateTime::parse_from_str(&parameter("X-Amz-Date")?, "%Y%m%dT%H%M%SZ").ok()?.and_utc();
    let seconds = parameter("X-Amz-Expires")?.parse().ok().filter(|seconds| (1..=MAX_SECONDS).contains(seconds))?;
    start.checked_add_signed(TimeDelta::seconds(seconds))
}

fn decoded(value: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(value).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short_term(url: &str) -> String {
        format!("{SHORT_TERM}{}", BASE64.encode(url))
    }

    fn read(text: &str) -> (BedrockKeyKind, Option<String>) {
        let key = BedrockKey::read(text).unwrap();
        assert_eq!(key.secret.expose(), text.trim());
        (key.kind, key.expires_at.map(|end| end.to_rfc3339()))
    }

    #[test]
    fn each_kind_is_known_by_its_form() {
        let url = "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256\
                   &X-Amz-Credential=ASIAEXAMPLE%2F20261001%2Fus-east-1%2Fbedrock%2Faws4_request&X-Amz-Date=20261001T080000Z\
                   &X-Amz-Expires=43200&X-Amz-SignedHeaders=host&X-Amz-Signature=0&Version=1";
        let end = Some("2026-10-01T20:00:00+00:00".to_owned());
        assert_eq!(read(&format!(" \n{}\r\n", short_term(url))), (BedrockKeyKind::ShortTerm, end.clone()));
        assert_eq!(read(short_term(url).trim_end_matches('=')), (BedrockKeyKind::ShortTerm, end));
        assert_eq!(read("ABSKQmVkcm9ja0FQSUtleS1hYmM="), (BedrockKeyKind::LongTerm, None));
        for other in [
            "bedrock-api-key-nonsense!".to_owned(),
            short_term("no url"),
            short_term("x/?X-Amz-Date=20261001T080000Z"),
            short_term("x/?X-Amz-Date=yesterday&X-Amz-Expires=60"),
            short_term("x/?X-Amz-Date=20261001T080000Z&X-Amz-Expires=-1"),
            short_term("x/?X-Amz-Date=20261001T080000Z&X-Amz-Expires=9223372036854775807"),
            "something".to_owned(),
        ] {
            assert_eq!(read(&other), (BedrockKeyKind::Unknown, None), "{other}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_a_word_of_it() {
        for text in ["", " \n", "hunter2 hunter2", "hunter2\u{e9}", "hunter2\0", "ak_hunter2", "sk-ant-hunter2"] {
            let told = BedrockKey::read(text).unwrap_err();
            assert!(!told.contains("hunter2"), "{told}");
        }
        assert!(BedrockKey::read(&"x".repeat(MAX_CHARS + 1)).is_err());
    }

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in [BedrockKeyKind::ShortTerm, BedrockKeyKind::LongTerm, BedrockKeyKind::Unknown] {
            assert_eq!(BedrockKeyKind::parse(kind.name()), kind);
        }
    }
}
