"""What the schemas of AWS's resource types say, as cfn-lint carries them: which changes mean a new resource."""

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER


def recreation(region, kind, name, before, after):
    """Whether the change of a property makes a new resource: Always, Conditionally or Never."""
    schema = schema_of(region, kind)
    for key, word in (("createOnlyProperties", "Always"), ("conditionalCreateOnlyProperties", "Conditionally")):
        for pointer in schema.get(key, []):
            path = pointer.removeprefix("/properties/").split("/")
            if path[0] == name and list(parts(before, path[1:])) != list(parts(after, path[1:])):
                return word
    return "Never"


def schema_of(region, kind):
    """The schema of a type; nothing is known of types that it does not have."""
    try:
        return PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema
    except Exception:  # Custom resources and types that are newer than cfn-lint.
        return {}


def parts(value, path):
    """What a pointer with `*` for each element of a list points at."""
    if not path:
        yield value
    elif path[0] == "*" and isinstance(value, list):
        for inner in value:
            yield from parts(inner, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from parts(value[path[0]], path[1:])
