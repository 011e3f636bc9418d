"""Stacks as they are kept, and how calls find them."""

import uuid
from dataclasses import dataclass, field

from errors import invalid
from wire import now

GONE = "DELETE_COMPLETE"


@dataclass
class Resource:
    """A resource of a stack as it was deployed last."""

    logical: str
    kind: str
    definition: dict
    properties: dict
    physical: str = ""
    attributes: dict = field(default_factory=dict)
    status: str = "CREATE_IN_PROGRESS"
    reason: str | None = None
    updated: object = field(default_factory=now)

    def attribute(self, name):
        return self.physical if name is None else self.attributes.get(name, f"{self.physical}.{name}")


@dataclass
class Stack:
    """A stack, also one that only has change sets yet, or is deleted."""

    name: str
    region: str
    id: str
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    text: str = ""
    template: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    tags: list = field(default_factory=list)
    capabilities: list = field(default_factory=list)
    notifications: list = field(default_factory=list)
    rollback: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)
    resources: dict = field(default_factory=dict)
    events: list = field(default_factory=list)
    change_sets: list = field(default_factory=list)
    policy: str | None = None
    protected: bool = False
    created: object = field(default_factory=now)
    updated: object = None
    deleted: object = None
    # Drift detections by their ids, and the operation whose way back is stuck.
    drifts: dict = field(default_factory=dict)
    unfinished: object = None

    def busy(self):
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def attribute(self, logical, name):
        return self.resources[logical].attribute(name)

    def tell(self, status, reason=None, token=None):
        """Changes the status, and has an event for that."""
        self.status, self.reason = status, reason
        self.event(self.name, self.id, "AWS::CloudFormation::Stack", status, reason, token)

    def event(self, logical, physical, kind, status, reason, token, properties=None):
        moment = now()
        own = f"{logical}-{status}-{moment.isoformat(timespec='milliseconds')}Z"
        event = {
            "StackId": self.id,
            "StackName": self.name,
            "EventId": str(uuid.uuid4()) if physical == self.id else own,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "Timestamp": moment,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "ResourceProperties": properties,
            "ClientRequestToken": token,
        }
        self.events.append({key: value for key, value in event.items() if value is not None})


def find(region, name):
    """The stack with this name or id; one that is deleted by its id alone."""
    for stack in region.stacks:
        if stack.id == name or (stack.name == name and stack.status != GONE):
            return stack
    return None


def existing(region, name, message="Stack with id {} does not exist"):
    """The same, which has to be there."""
    stack = find(region, name)
    if stack is None:
        raise invalid(message.format(name))
    return stack


def new(region, name):
    stack = Stack(name, region.name, region.arn("cloudformation", f"stack/{name}/{uuid.uuid4()}"))
    region.stacks.append(stack)
    return stack
