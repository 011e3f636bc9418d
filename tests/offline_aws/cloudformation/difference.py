"""What a change set would do: the resources of a stack compared with those of a new template."""

import json
from dataclasses import dataclass, field

from cloudformation.intrinsics import AFTER_APPLY, plain
from cloudformation.schemas import recreation
from cloudformation.templates import levels, references

# What a resource has besides properties, and that is compared as it is written.
POLICIES = ("DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy", "CreationPolicy", "Metadata")


@dataclass
class Change:
    """What happens to a resource."""

    action: str
    logical: str
    kind: str
    physical: str = ""
    replacement: str | None = None
    scope: list = field(default_factory=list)
    details: list = field(default_factory=list)
    policy: str | None = None
    before: dict | None = None
    after: dict | None = None

    def said(self, values):
        """As DescribeChangeSet says it."""
        change = {
            "Action": self.action,
            "LogicalResourceId": self.logical,
            "PhysicalResourceId": self.physical or None,
            "ResourceType": self.kind,
            "Replacement": self.replacement,
            "PolicyAction": self.policy,
            "Scope": self.scope,
            "Details": self.details,
        }
        if values:
            change |= {name: value and json.dumps({"Properties": value}) for name, value in
                       (("BeforeContext", self.before), ("AfterContext", self.after))}
        else:
            change["Details"] = [without_values(detail) for detail in self.details]
        return {"Type": "Resource", "ResourceChange": {key: one for key, one in change.items() if one is not None}}


def without_values(detail):
    target = {key: value for key, value in detail["Target"].items() if key not in ("BeforeValue", "AfterValue", "Path")}
    return {**detail, "Target": target}


def changes(stack, evaluation):
    """Every change, in the order in which the execution makes them, removals last."""
    definitions = evaluation.definitions()
    unknown = set()

    def attribute(logical, name):
        if logical in unknown or logical not in stack.resources:
            return AFTER_APPLY
        return stack.attribute(logical, name)

    evaluation.attribute = attribute
    found = []
    for logical in (name for level in levels(definitions) for name in level):
        definition = definitions[logical]
        properties = evaluation.value(definition.get("Properties", {}))
        resource = stack.resources.get(logical)
        if resource is None:
            found.append(Change("Add", logical, definition["Type"], after=properties))
        elif change := modification(stack, resource, definition, properties, evaluation, unknown):
            found.append(change)
            if change.replacement == "True":
                unknown.add(logical)
    for logical, resource in stack.resources.items():
        if logical not in definitions:
            kept = resource.definition.get("DeletionPolicy", "Delete")
            found.append(Change("Remove", logical, resource.kind, resource.physical, policy=kept,
                                before=resource.properties))
    return found


def modification(stack, resource, definition, properties, evaluation, unknown):
    """How a resource changes, or nothing."""
    details, words = [], set()
    for name in sorted(set(resource.properties) | set(properties)):
        before, after = resource.properties.get(name), properties.get(name)
        if same(before, after):
            continue
        word = recreation(stack.region, resource.kind, name, before, after)
        raw_before = resource.definition.get("Properties", {}).get(name)
        raw_after = definition.get("Properties", {}).get(name)
        for detail in causes(stack, raw_before, raw_after, evaluation, unknown):
            words.add((detail["Evaluation"], word))
            tags = name == "Tags"
            target = {"Attribute": "Tags" if tags else "Properties", "RequiresRecreation": word,
                      "Path": f"/Properties/{name}", **({} if tags else {"Name": name})}
            target["AttributeChangeType"] = "Add" if before is None else "Remove" if after is None else "Modify"
            for key, value in (("BeforeValue", before), ("AfterValue", after)):
                if value is not None:
                    target[key] = plain(value)
            details.append({**detail, "Target": target})
    for name in POLICIES:
        if resource.definition.get(name) != definition.get(name):
            target = {"Attribute": name, "RequiresRecreation": "Never"}
            details.append({"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"})
    if resource.kind != definition["Type"]:
        words.add(("Static", "Always"))
    elif not details:
        return None
    replacement = "False"
    if ("Static", "Always") in words:
        replacement = "True"
    elif ("Dynamic", "Always") in words or any(word == "Conditionally" for _, word in words):
        replacement = "Conditional"
    kept = definition.get("UpdateReplacePolicy", "Delete")
    scope = sorted({detail["Target"]["Attribute"] for detail in details})
    policy = {"Retain": "ReplaceAndRetain", "Snapshot": "ReplaceAndSnapshot"}.get(kept, "ReplaceAndDelete")
    return Change("Modify", resource.logical, definition["Type"], resource.physical, replacement, scope, details,
                  policy if replacement == "True" else None, resource.properties, properties)


def causes(stack, before, after, evaluation, unknown):
    """Why a property changes: a parameter, a resource that is replaced, or the template itself."""
    found = []
    if before == after:
        names = sorted(set(references({"value": after})))
        for name in names:
            if name in unknown:
                found.append({"Evaluation": "Dynamic", "ChangeSource": "ResourceReference", "CausingEntity": name})
            elif name in evaluation.parameters and evaluation.parameters[name] != stack.parameters.get(name):
                found.append({"Evaluation": "Static", "ChangeSource": "ParameterReference", "CausingEntity": name})
    return found or [{"Evaluation": "Static", "ChangeSource": "DirectModification"}]


def same(before, after):
    """Whether two values are the same to CloudFormation, to which 5 and "5" are."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(same(before[key], after[key]) for key in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same, before, after))
    if before is None or after is None or isinstance(before, (dict, list)) or isinstance(after, (dict, list)):
        return before is after
    return plain(before) == plain(after)
