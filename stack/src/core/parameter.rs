//! Parameters: what differs between deployments of one template.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde_json::Value as Json;

use super::value::{List, Value};

/// A parameter whose value is of the kind `T`.
#[derive(Clone, Debug)]
pub struct Parameter<T> {
    fields: BTreeMap<&'static str, Json>,
    kind: PhantomData<fn() -> T>,
}

impl<T> Parameter<T> {
    fn new(type_name: &str, description: &str) -> Self {
        let fields = BTreeMap::from([("Type", Json::from(type_name)), ("Description", Json::from(description))]);
        Self { fields, kind: PhantomData }
    }

    fn with(mut self, field: &'static str, value: impl Into<Json>) -> Self {
        self.fields.insert(field, value.into());
        self
    }

    /// The value when none is given.
    #[must_use]
    pub fn default(self, value: impl Into<Json>) -> Self {
        self.with("Default", value)
    }

    /// The only values.
    #[must_use]
    pub fn allowed<J: Into<Json>>(self, values: impl IntoIterator<Item = J>) -> Self {
        self.with("AllowedValues", values.into_iter().map(Into::into).collect::<Vec<Json>>())
    }

    /// The form of a value as a regular expression, and how to say it to a person.
    #[must_use]
    pub fn pattern(self, pattern: &str, otherwise: &str) -> Self {
        self.with("AllowedPattern", pattern).with("ConstraintDescription", otherwise)
    }

    /// The smallest and the largest number.
    #[must_use]
    pub fn between(self, smallest: impl Into<Json>, largest: impl Into<Json>) -> Self {
        self.with("MinValue", smallest).with("MaxValue", largest)
    }

    pub(super) fn into_json(self) -> Json {
        self.fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Parameter<String> {
    /// Text.
    pub fn text(description: &str) -> Self {
        Self::new("String", description)
    }
}

impl<T> Parameter<T> {
    /// Text of a kind, such as the ARN of something that exists already.
    pub fn text_of(description: &str) -> Self {
        Self::new("String", description)
    }

    /// A number of a kind.
    pub fn number_of(description: &str) -> Self {
        Self::new("Number", description)
    }
}

impl Parameter<i64> {
    /// A whole number.
    pub fn number(description: &str) -> Self {
        Self::new("Number", description)
    }
}

impl<T> Parameter<List<T>> {
    /// Texts with commas between them.
    pub fn list(description: &str) -> Self {
        Self::new("CommaDelimitedList", description)
    }
}

impl<T> From<&Value<T>> for Json {
    fn from(value: &Value<T>) -> Self {
        value.json().clone()
    }
}
