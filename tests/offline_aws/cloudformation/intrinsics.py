"""The functions of templates, such as Ref and Fn::Join, evaluated for a stack with its parameters."""

import base64
import json

from cloudformation.templates import PLACES
from errors import invalid
from world import ACCOUNT

# What stands in a change set for what only the execution can tell.
AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"


class Evaluation:
    """A template with values. `attribute(logical, name)` tells of resources; without a name the physical id."""

    def __init__(self, stack, template, parameters, attribute):
        self.template, self.parameters, self.attribute = template, parameters, attribute
        self.pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": None,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": stack.region,
            "AWS::StackId": stack.id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        self.decided = {}

    def definitions(self):
        """The resources that exist: those without a condition or with one that holds."""
        every = self.template["Resources"].items()
        return {name: one for name, one in every if "Condition" not in one or self.condition(one["Condition"])}

    def condition(self, name):
        if name not in self.decided:
            try:
                self.decided[name] = self.value(self.template["Conditions"][name])
            except KeyError:
                raise invalid(f"Template error: unresolved condition dependency {name}") from None
        return self.decided[name]

    def value(self, node):
        """A part of the template, with every function replaced by what it says."""
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name == "Ref":
                return self.ref(argument)
            if name == "Condition" and isinstance(argument, str):
                return self.condition(argument)
            if name.startswith("Fn::"):
                function = getattr(self, name.replace("Fn::", "fn_").lower(), None)
                if function is None:
                    raise invalid(f"Template error: {name} is not supported here")
                return function(argument)
        values = {key: self.value(inner) for key, inner in node.items()}
        return {key: value for key, value in values.items() if value is not None}

    def ref(self, name):
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            kind = self.template["Parameters"][name]["Type"]
            value = self.parameters[name]
            return value.split(",") if kind.startswith(("List<", "CommaDelimitedList")) else value
        return self.attribute(name, None)

    def fn_getatt(self, argument):
        logical, name = argument.split(".", 1) if isinstance(argument, str) else argument
        return self.attribute(logical, self.value(name))

    def fn_if(self, argument):
        name, yes, no = argument
        return self.value(yes if self.condition(name) else no)

    def fn_equals(self, argument):
        left, right = map(self.value, argument)
        return plain(left) == plain(right)

    def fn_not(self, argument):
        return not self.value(argument[0])

    def fn_and(self, argument):
        return all(map(self.value, argument))

    def fn_or(self, argument):
        return any(map(self.value, argument))

    def fn_join(self, argument):
        separator, parts = argument
        return separator.join(map(plain, self.value(parts)))

    def fn_split(self, argument):
        separator, text = argument
        return self.value(text).split(separator)

    def fn_select(self, argument):
        index, of = argument
        values = self.value(of)
        if AFTER_APPLY in values:
            return AFTER_APPLY
        try:
            return values[int(self.value(index))]
        except IndexError:
            raise invalid("Template error: Fn::Select cannot select nonexistent value at index "
                          f"{self.value(index)}") from None

    def fn_sub(self, argument):
        text, given = (argument, {}) if isinstance(argument, str) else argument
        given = {name: plain(self.value(value)) for name, value in given.items()}

        def place(found):
            name = found[1]
            if name in given:
                return given[name]
            return plain(self.fn_getatt(name) if "." in name else self.ref(name))

        return PLACES.sub(place, text).replace("${!", "${")

    def fn_findinmap(self, argument):
        table, first, second = map(self.value, argument)
        return self.template["Mappings"][table][first][second]

    def fn_base64(self, argument):
        return base64.b64encode(self.value(argument).encode()).decode()

    def fn_getazs(self, argument):
        return [(self.value(argument) or self.pseudo["AWS::Region"]) + zone for zone in "abc"]


def plain(value):
    """A scalar as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
