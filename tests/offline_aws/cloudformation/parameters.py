"""The values of a template's parameters: given, as before, or by default; and whether they are allowed."""

import re

from errors import invalid


def resolve(template, given, previous):
    """The value of each parameter as text. `previous` has those of the stack as it is."""
    declared = template.get("Parameters", {})
    if strange := sorted({one["ParameterKey"] for one in given} - set(declared)):
        raise invalid(f"Parameters: [{', '.join(strange)}] do not exist in the template")
    values, missing = {}, []
    said = {one["ParameterKey"]: one for one in given}
    for name, declaration in declared.items():
        one = said.get(name, {})
        if one.get("UsePreviousValue"):
            if name not in previous:
                raise invalid(f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true "
                              "for a parameter key not in the previous template")
            values[name] = previous[name]
        elif "ParameterValue" in one:
            values[name] = one["ParameterValue"]
        elif "Default" in declaration:
            values[name] = text(declaration["Default"])
        else:
            missing.append(name)
    if missing:
        raise invalid(f"Parameters: [{', '.join(sorted(missing))}] must have values")
    for name, value in values.items():
        check(name, declared[name], value)
    return values


def check(name, declaration, value):
    """Holds a value against what the template allows."""
    told = declaration.get("ConstraintDescription")
    failed = None
    if "AllowedValues" in declaration and value not in [text(one) for one in declaration["AllowedValues"]]:
        failed = f"Parameter '{name}' must be one of AllowedValues"
    elif (pattern := declaration.get("AllowedPattern")) and not re.fullmatch(pattern, value):
        failed = f"Parameter '{name}' must match pattern {pattern}"
    elif declaration["Type"] == "Number":
        failed = number(name, declaration, value)
    if failed:
        raise invalid(f"Parameter {name} failed to satisfy constraint: {told}" if told else failed)


def number(name, declaration, value):
    """What is wrong with a number."""
    try:
        amount = float(value)
    except ValueError:
        return f"Parameter '{name}' must be a number."
    if "MinValue" in declaration and amount < float(declaration["MinValue"]):
        return f"Parameter '{name}' must be a number not less than {declaration['MinValue']}"
    if "MaxValue" in declaration and amount > float(declaration["MaxValue"]):
        return f"Parameter '{name}' must be a number not greater than {declaration['MaxValue']}"
    return None


def text(value):
    """A value as CloudFormation keeps it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
