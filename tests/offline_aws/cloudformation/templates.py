"""Templates: where their text comes from, and what depends on what in them."""

import json
import re
from urllib.parse import unquote, urlparse

import yaml

from errors import Refused, invalid

INLINE_LIMIT = 51_200
STORED_LIMIT = 1_000_000
VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-][\w-]*\.?amazonaws\.com|(?P<old>.+)\.s3\.amazonaws\.com")
PATH_STYLE = re.compile(r"s3[.-]?[\w-]*\.amazonaws\.com")
PLACES = re.compile(r"\$\{([^!}][^}]*)\}")


def text_of(world, region, said):
    """The template's text: in the call itself, or where it says."""
    if body := said.get("TemplateBody"):
        if len(body.encode()) > INLINE_LIMIT:
            raise invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to {INLINE_LIMIT}"
            )
        return body
    if url := said.get("TemplateURL"):
        text = stored(world, region, url)
        if len(text.encode()) > STORED_LIMIT:
            raise invalid(f"Template may not exceed {STORED_LIMIT} bytes in size.")
        return text
    raise invalid("Either Template URL or Template Body must be specified.")


def stored(world, region, url):
    """An object in S3 by its address, in either style."""
    parts = urlparse(url)
    host, path = parts.hostname or "", unquote(parts.path).lstrip("/")
    if parts.scheme == "https" and PATH_STYLE.fullmatch(host):
        bucket, _, key = path.partition("/")
    elif parts.scheme == "https" and (found := VIRTUAL_HOST.fullmatch(host)):
        bucket, key = found["bucket"] or found["old"], path
    else:
        raise invalid("TemplateURL must be a supported URL.")
    text = world.inside.object(region, bucket, key)
    if text is None:
        raise invalid("S3 error: Access Denied")
    return text


def parse(text):
    """A template, JSON or YAML with long function names."""
    try:
        template = json.loads(text)
    except ValueError:
        try:
            template = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise invalid(f"Template format error: YAML not well-formed. ({error})") from error
    if not isinstance(template, dict) or not template.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    unknown = sorted({name for name in references(template["Resources"]) if not known(template, name)})
    if unknown:
        raise invalid(f"Template format error: Unresolved resource dependencies [{', '.join(unknown)}] "
                      "in the Resources block of the template")
    return template


def known(template, name):
    return name in template["Resources"] or name in template.get("Parameters", {}) or name.startswith("AWS::")


def references(node):
    """Every name that is referred to, of parameters and resources alike."""
    if isinstance(node, list):
        for inner in node:
            yield from references(inner)
    elif isinstance(node, dict):
        for key, inner in node.items():
            if key == "Ref" and isinstance(inner, str):
                yield inner
            elif key == "Fn::GetAtt":
                yield inner.split(".")[0] if isinstance(inner, str) else inner[0]
            elif key == "Fn::Sub":
                yield from sub_references(inner)
            elif key == "DependsOn":
                yield from [inner] if isinstance(inner, str) else inner
            else:
                yield from references(inner)


def sub_references(inner):
    text, given = (inner, {}) if isinstance(inner, str) else inner
    yield from (place.split(".")[0] for place in PLACES.findall(text) if place not in given)
    yield from references(given)


def levels(definitions):
    """Logical ids in the order of their creation: each level needs only those before it."""
    needs = {name: {need for need in references(definition) if need in definitions and need != name}
             for name, definition in definitions.items()}
    done, ordered = set(), []
    while len(done) < len(definitions):
        level = [name for name in definitions if name not in done and needs[name] <= done]
        if not level:
            circle = ", ".join(sorted(set(definitions) - done))
            raise invalid(f"Circular dependency between resources: [{circle}]")
        ordered.append(level)
        done |= set(level)
    return ordered


def check_capabilities(template, given):
    """Roles want an acknowledgement, roles with names another."""
    iam = [definition for definition in template["Resources"].values() if definition["Type"].startswith("AWS::IAM::")]
    named = any(key in definition.get("Properties", {}) for definition in iam
                for key in ("RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName"))
    wanted = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    if iam and not {wanted, "CAPABILITY_NAMED_IAM"} & set(given):
        raise Refused("InsufficientCapabilitiesException", f"Requires capabilities : [{wanted}]")
