//! The macros that L1 is written with: a property is named once, and its struct, its setters and its form follow.

/// A struct of AWS: required properties are the arguments of `new`, optional ones have setters.
///
/// Names are AWS's in snake case; where AWS does not follow its own rule, the name it has is given after `as`.
macro_rules! structure {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($required:ident $(as $required_name:literal)?: $required_type:ty,)*
            ;
            $($optional:ident $(as $optional_name:literal)?: $optional_type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Serialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            $($(#[serde(rename = $required_name)])? pub $required: $required_type,)*
            $(#[serde($(rename = $optional_name,)? skip_serializing_if = "Option::is_none")]
            pub $optional: Option<$optional_type>,)*
        }

        #[allow(clippy::new_without_default, reason = "one way to make a struct, whether AWS requires something or not")]
        impl $name {
            /// With what AWS requires.
            pub fn new($($required: impl Into<$required_type>),*) -> Self {
                Self { $($required: $required.into(),)* $($optional: None,)* }
            }

            $(#[must_use]
            pub fn $optional(mut self, $optional: impl Into<$optional_type>) -> Self {
                self.$optional = Some($optional.into());
                self
            })*
        }

        impl $crate::core::Described for $name {
            fn shape() -> $crate::core::Shape {
                $crate::core::Shape::Object(vec![
                    $($crate::core::Property {
                        name: $crate::cfn::macros::wire_name!($required $($required_name)?),
                        required: true,
                        shape: <$required_type as $crate::core::Described>::shape(),
                    },)*
                    $($crate::core::Property {
                        name: $crate::cfn::macros::wire_name!($optional $($optional_name)?),
                        required: false,
                        shape: <$optional_type as $crate::core::Described>::shape(),
                    },)*
                ])
            }
        }
    };
}

/// A resource type: a structure with AWS's name of the type, traits of it, and typed references.
macro_rules! resource {
    (
        $(#[$meta:meta])*
        $name:ident = $type_name:literal $([$($constant:ident = $value:expr),*])? {
            $($properties:tt)*
        }
        $(=> $reference:ident: $reference_type:ty;)?
        $($attribute:ident = $attribute_name:literal: $attribute_type:ty;)*
    ) => {
        $crate::cfn::macros::structure! { $(#[$meta])* $name { $($properties)* } }

        impl $crate::core::ResourceType for $name {
            const TYPE: &'static str = $type_name;
            $($(const $constant: $crate::cfn::macros::constant!($constant) = $value;)*)?
        }

        impl $crate::cfn::Catalogued for $name {
            const ATTRIBUTES: &'static [&'static str] = &[$($attribute_name),*];
        }

        impl $crate::core::Handle<$name> {
            $(pub fn $reference(&self) -> $crate::core::Value<$reference_type> {
                self.reference()
            })?
            $(pub fn $attribute(&self) -> $crate::core::Value<$attribute_type> {
                self.attribute($attribute_name)
            })*
        }
    };
}

/// An enumeration of AWS, word for word.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
        pub enum $name {
            $(#[serde(rename = $word)] $variant,)*
        }

        impl $crate::core::Described for $name {
            fn shape() -> $crate::core::Shape {
                $crate::core::Shape::Words(vec![$($word),*])
            }
        }
    };
}

/// The name of a property as AWS writes it.
macro_rules! wire_name {
    ($field:ident) => {
        $crate::core::pascal_case(stringify!($field))
    };
    ($field:ident $name:literal) => {
        $name.to_owned()
    };
}

/// The type of a constant of [`crate::core::ResourceType`].
macro_rules! constant {
    (CAPABILITY) => { Option<&'static str> };
    ($other:ident) => { bool };
}

pub(crate) use {constant, resource, structure, wire_name, words};
