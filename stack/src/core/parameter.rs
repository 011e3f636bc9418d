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
    pub fn pattern(self, [pattern, otherwise]: [&str; 2]) -> Self {
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

    /// Text of a kind that may be left out; it is empty then.
    pub fn optional(description: &str) -> Self {
        Self::text_of(description).default("")
    }

    /// One of these words; the first, unless another is given.
    pub fn choice<const N: usize>(description: &str, words: [&str; N]) -> Self {
        let first = words.first().map(|word| Json::from(*word)).unwrap_or_default();
        Self::text_of(description).allowed(words).default(first)
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

/// A struct of parameters and of the conditions that they decide, a line each. The name in the template is that of the field.
///
/// Every line may use the fields before it.
macro_rules! parameters {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($field:ident: $kind:ty = $parameter:expr;)*
        }
        if {
            $($condition:ident = $test:expr;)*
        }
    ) => {
        $(#[$meta])*
        #[allow(dead_code, reason = "some serve the conditions alone")]
        pub(super) struct $name {
            $(pub(super) $field: $crate::core::Value<$kind>,)*
            $(pub(super) $condition: $crate::core::Condition,)*
        }

        impl $name {
            /// Declares them.
            pub(super) fn declare(scope: &$crate::core::Scope) -> Self {
                use $crate::core::pascal_case;
                $(let $field: $crate::core::Value<$kind> =
                    scope.parameter(&pascal_case(stringify!($field)), $parameter);)*
                $(let $condition = scope.condition(&pascal_case(stringify!($condition)), $test);)*
                Self { $($field,)* $($condition,)* }
            }
        }
    };
}
pub(crate) use parameters;
