"""What a type of resource is: how it is made, changed and deleted; by default no more than a name of its own."""

import uuid
from dataclasses import dataclass

from cloudformation import identity
from cloudformation.stacks import Stack
from errors import Refused
from world import Region, World


class Failed(Exception):
    """Why a resource could not be made, changed or deleted."""


@dataclass
class Place:
    """Where a resource is made."""

    world: World
    region: Region
    stack: Stack

    def call(self, service, operation, **parameters):
        given = {key: value for key, value in parameters.items() if value is not None}
        try:
            return self.world.inside.call(self.region.name, service, operation, **given)
        except Refused as refused:
            exists = refused.code.endswith(("AlreadyExistsException", "ExistsException"))
            raise Failed(told(refused.message, "AlreadyExists" if exists else "InvalidRequest")) from refused


def told(message, code):
    """A failure in the words of AWS's resource handlers."""
    return f'Resource handler returned message: "{message}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})'


class Kind:
    """A type that nothing is known of but its names, which are unique."""

    def create(self, place, logical, kind, properties):
        physical = identity.physical(place.region, place.stack, kind, logical, properties)
        if name := properties.get(identity.NAMES.get(kind)):
            if (kind, name) in place.region.taken:
                where = f"/properties/{identity.NAMES[kind]}"
                raise Failed(told(f"Resource of type '{kind}' with identifier '{{\"{where}\":\"{name}\"}}' "
                                  "already exists.", "AlreadyExists"))
            place.region.taken.add((kind, name))
        return physical, identity.attributes(place.region, kind, physical, properties)

    def update(self, place, resource, properties):
        """Changes it where it is; what Fn::GetAtt says of it stays."""

    def delete(self, place, resource):
        place.region.taken.discard((resource.kind, resource.properties.get(identity.NAMES.get(resource.kind))))
