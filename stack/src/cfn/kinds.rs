//! What values of L1 stand for: `Id<Vpc>` is another type than `Id<Subnet>`, and neither is a mere text.

use std::marker::PhantomData;

use crate::core::{Kind, Shape, Value};

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
