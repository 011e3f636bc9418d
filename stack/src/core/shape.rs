//! What a typed property looks like as JSON, so that a test can compare it with AWS's own schema.

use serde_json::Value as Json;

/// The form of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// One of these words.
    Words(Vec<&'static str>),
    /// So many of one form.
    List(Box<Shape>),
    /// Names that are free, with values of one form.
    Map(Box<Shape>),
    /// Named properties.
    Object(Vec<Property>),
    /// JSON that AWS does not describe further.
    Free,
}

/// A property of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// AWS's name.
    pub name: String,
    /// Whether the compiler insists on it.
    pub required: bool,
    /// Its form.
    pub shape: Shape,
}

/// A type that knows its form.
pub trait Described {
    /// The form.
    fn shape() -> Shape;
}

impl<T: Described> Described for Vec<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }
}

impl<T: Described> Described for std::collections::BTreeMap<String, T> {
    fn shape() -> Shape {
        Shape::Map(Box::new(T::shape()))
    }
}

impl Described for Json {
    fn shape() -> Shape {
        Shape::Free
    }
}

/// `vpc_id` as AWS writes it: `VpcId`.
pub(crate) fn pascal_case(name: &str) -> String {
    let mut pascal = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut letters = word.chars();
        pascal.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        pascal.push_str(letters.as_str());
    }
    pascal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_those_of_aws() {
        assert_eq!(pascal_case("vpc_id"), "VpcId");
        assert_eq!(pascal_case("s3_key"), "S3Key");
        assert_eq!(pascal_case("name"), "Name");
    }
}
