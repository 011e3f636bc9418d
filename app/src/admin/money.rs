//! Amounts of money: decimal strings, because JSON's numbers are floats to most who read them.

use std::borrow::Cow;
use std::fmt;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use rust_decimal::Decimal;
use serde_json::Value;

use super::problem::Problem;

/// An amount in US dollars, from 0 to below a trillion, such as `"12.50"`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Usd(pub Decimal);

/// A trillion, the bound of the columns.
const BOUND: Decimal = Decimal::from_parts(0xd4a5_1000, 0xe8, 0, false, 0);
/// The form of an amount that is given; fields that take one have it as their pattern, so that an error names the field.
const PATTERN: &str = r"^[0-9]{1,12}(\.[0-9]{1,12})?$";

/// An amount that came in a field with the pattern of amounts.
///
/// # Errors
/// When it is none.
pub(super) fn usd(field: &str, text: &str) -> Result<Decimal, Problem> {
    let told = "it is no amount in US dollars; write it like \"12.50\", below a trillion";
    Usd::read(text).map(|amount| amount.0).ok_or_else(|| Problem::field(field, told))
}

impl Usd {
    fn read(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let fits = (1..=12).contains(&whole.len()) && (1..=12).contains(&fraction.len());
        Some(text)
            .filter(|_| plain && fits)
            .and_then(|text| Decimal::from_str_exact(text).ok())
            .filter(|amount| *amount < BOUND)
            .map(Self)
    }
}

impl Type for Usd {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string_usd".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            pattern: Some(PATTERN.to_owned()),
            example: Some(Value::from("12.50")),
            max_length: Some(25),
            ..MetaSchema::new("string")
        }))
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromJSON for Usd {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Self::parse_from_parameter(&text),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ParseFromParameter for Usd {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Self::read(text).ok_or_else(|| ParseError::custom("it is no amount in US dollars, such as \"12.50\""))
    }
}

impl ToJSON for Usd {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.to_string()))
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Exact in the database, and here as far as the pattern goes: a millionth of a millionth of a dollar.
        self.0.round_dp(12).normalize().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_plain_decimals() {
        for (text, expected) in [
            ("0", Some("0")),
            ("12.50", Some("12.5")),
            ("999999999999.999999999999", Some("999999999999.999999999999")),
            ("1000000000000", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("1_000", None),
            (".5", None),
            ("5.", None),
            ("1.2.3", None),
            ("", None),
            ("NaN", None),
        ] {
            let read = Usd::parse_from_json(Some(Value::from(text))).ok();
            let written = read.and_then(|amount| amount.to_json()).map(|value| value.as_str().unwrap().to_owned());
            assert_eq!(written.as_deref(), expected, "{text:?}");
        }
        assert!(Usd::parse_from_json(Some(Value::from(12.5))).is_err());
    }
}
