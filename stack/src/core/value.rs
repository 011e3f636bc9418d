//! A value in a template: a literal or an expression that CloudFormation resolves, typed by what it stands for.

use std::collections::BTreeMap;
use std::fmt::{Debug, Formatter};
use std::marker::PhantomData;

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::condition::Condition;
use super::shape::{Described, Shape};

/// A value of the kind `T`. The kind exists at compile time alone: it keeps a subnet's id out of a place for a security group's.
pub struct Value<T> {
    expression: Json,
    kind: PhantomData<fn() -> T>,
}

/// What a [`Value`] can stand for: a scalar, or a marker such as `Id<Vpc>`.
pub trait Kind {
    /// The JSON type of the value once it is resolved.
    fn shape() -> Shape;
}

/// A list that CloudFormation resolves, such as a parameter of the type `CommaDelimitedList`.
#[derive(Debug)]
pub struct List<T>(PhantomData<fn() -> T>);

impl<T> Value<T> {
    /// A value whose kind the caller vouches for. Text that is known to be of the right kind comes in this way.
    pub fn literal(literal: impl Into<Json>) -> Self {
        Self { expression: literal.into(), kind: PhantomData }
    }

    /// What `Ref` gives: the value of a parameter or the identity of a resource.
    pub(crate) fn reference(logical_id: &str) -> Self {
        Self::literal(json!({ "Ref": logical_id }))
    }

    /// An attribute of a resource.
    pub(crate) fn attribute(logical_id: &str, attribute: &str) -> Self {
        Self::literal(json!({ "Fn::GetAtt": [logical_id, attribute] }))
    }

    /// The export of another stack.
    pub fn import(name: impl Into<Value<String>>) -> Self {
        Self::literal(json!({ "Fn::ImportValue": name.into() }))
    }

    /// Text with `${AWS::Region}` and the like in it.
    pub fn sub(text: &str) -> Self {
        Self::literal(json!({ "Fn::Sub": text }))
    }

    /// Text with `${Name}` in it, and what the names stand for.
    pub fn sub_with<const N: usize>(text: &str, names: [(&str, Value<String>); N]) -> Self {
        let names: BTreeMap<_, _> = names.into_iter().collect();
        Self::literal(json!({ "Fn::Sub": [text, names] }))
    }

    /// The values one after the other, with a separator between them.
    pub fn join(separator: &str, values: impl IntoIterator<Item = Value<String>>) -> Self {
        Self::literal(json!({ "Fn::Join": [separator, values.into_iter().collect::<Vec<_>>()] }))
    }

    /// One value or the other, as a condition decides when the stack is deployed.
    pub fn when(condition: &Condition, then: impl Into<Self>, otherwise: impl Into<Self>) -> Self {
        Self::literal(json!({ "Fn::If": [condition.name(), then.into(), otherwise.into()] }))
    }

    /// The absence of a property, for one branch of [`Value::when`].
    pub fn none() -> Self {
        Self::reference("AWS::NoValue")
    }

    /// The value as mere text, for an environment variable or a longer text.
    pub fn text(&self) -> Value<String> {
        self.cast()
    }

    /// The same value as something else. For L1 and L2 that know what AWS takes where; a stack has no need of it.
    pub(crate) fn cast<U>(&self) -> Value<U> {
        Value::literal(self.expression.clone())
    }

    /// What the template holds.
    pub fn json(&self) -> &Json {
        &self.expression
    }
}

impl<T> Value<List<T>> {
    /// The element at a place.
    pub fn at(&self, index: usize) -> Value<T> {
        Value::literal(json!({ "Fn::Select": [index, self] }))
    }

    /// The elements as one text.
    pub fn joined(&self, separator: &str) -> Value<String> {
        Value::literal(json!({ "Fn::Join": [separator, self] }))
    }

    /// The parts of a text.
    pub fn split(separator: &str, text: impl Into<Value<String>>) -> Self {
        Self::literal(json!({ "Fn::Split": [separator, text.into()] }))
    }
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        self.cast()
    }
}

impl<T> PartialEq for Value<T> {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression
    }
}

impl<T> Debug for Value<T> {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.expression)
    }
}

impl<T> Serialize for Value<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.expression.serialize(serializer)
    }
}

impl<T> From<&Self> for Value<T> {
    fn from(value: &Self) -> Self {
        value.clone()
    }
}

impl From<&str> for Value<String> {
    fn from(text: &str) -> Self {
        Self::literal(text)
    }
}

impl From<String> for Value<String> {
    fn from(text: String) -> Self {
        Self::literal(text)
    }
}

impl From<bool> for Value<bool> {
    fn from(literal: bool) -> Self {
        Self::literal(literal)
    }
}

impl From<i64> for Value<i64> {
    fn from(literal: i64) -> Self {
        Self::literal(literal)
    }
}

impl From<f64> for Value<f64> {
    fn from(literal: f64) -> Self {
        Self::literal(literal)
    }
}

impl<T: Kind> Described for Value<T> {
    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Kind> Kind for List<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }
}

macro_rules! scalar {
    ($($kind:ty => $shape:ident),*) => {
        $(impl Kind for $kind {
            fn shape() -> Shape {
                Shape::$shape
            }
        })*
    };
}
scalar!(String => Text, bool => Boolean, i64 => Integer, f64 => Number);
