//! What values of L1 stand for: `Id<Vpc>` is another type than `Id<Subnet>`, and neither is a mere text.

use std::marker::PhantomData;

use crate::core::{Kind, Parameter, Shape, Test, Value};

use super::macros::structure;

macro_rules! kind {
    ($($(#[$meta:meta])* $name:ident $(<$resource:ident>)? => $shape:ident;)*) => {
        $($(#[$meta])*
        #[derive(Debug)]
        pub struct $name $(<$resource>(PhantomData<fn() -> $resource>))?;

        impl $(<$resource>)? Kind for $name $(<$resource>)? {
            fn shape() -> Shape {
                Shape::$shape
            }
        })*
    };
}

kind! {
    /// The id of a resource, as its service makes it.
    Id<R> => Text;
    /// The ARN of a resource.
    Arn<R> => Text;
    /// The name of a resource, unique within its service.
    Name<R> => Text;
    /// A network such as `10.0.0.0/16`.
    Cidr => Text;
    /// A TCP port.
    Port => Integer;
    /// A name that DNS resolves.
    HostName => Text;
    /// A zone such as `ap-northeast-2a`.
    AvailabilityZone => Text;
}

impl<R> Parameter<Arn<R>> {
    /// The ARN of something that exists already, or `none`: AWS takes an empty ARN nowhere, and validators know it.
    pub fn optional_arn(description: &str) -> Self {
        Self::text_of(description).default("none").pattern(["^none$|^arn:aws[a-z-]*:[a-z]+:.*$", "an ARN, or none"])
    }
}

impl Test {
    /// Whether an ARN is given, where it may be left out.
    pub fn arn_given<R>(value: &Value<Arn<R>>) -> Self {
        Self::equals(value, "none").negated()
    }
}

impl From<&str> for Value<Cidr> {
    fn from(network: &str) -> Self {
        Self::literal(network)
    }
}

impl From<u16> for Value<Port> {
    fn from(port: u16) -> Self {
        Self::literal(port)
    }
}

structure! {
    /// A tag.
    Tag { key: Value<String>, value: Value<String>, ; }
}
