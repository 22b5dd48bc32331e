"""Writes terraform_aws_schema.json: what the resources that deploy/terraform uses may have.

The package cdktf-cdktf-provider-aws (59 MB) has the provider's schema as classes in Python. Nobody should
have to fetch it for a test, so what is used of it is kept here:

    pip download --no-deps cdktf-cdktf-provider-aws && unzip -q cdktf_cdktf_provider_aws-*.whl -d classes
    python terraform_schema.py classes
"""

from __future__ import annotations

import ast
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TERRAFORM = HERE.parents[3] / "deploy" / "terraform"
SCHEMA = HERE / "terraform_aws_schema.json"

# Terraform's own, and what nobody sets.
META = {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners", "id", "tags_all"}


def used() -> set[tuple[str, str]]:
    """Pairs such as (resource, aws_lb)."""
    found = set()
    for file in TERRAFORM.glob("*.tf"):
        found |= set(re.findall(r'^(resource|data) "(aws_\w+)"', file.read_text(), re.MULTILINE))
    return found


def block(classes: dict[str, ast.ClassDef], name: str, seen: tuple = ()) -> dict:
    """The arguments of a class: null, or those of a block, and which of them have to be there."""
    init = next(
        node
        for node in classes[name].body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    arguments, required = {}, []
    for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults):
        # Python's own words have a line behind them.
        key = argument.arg.rstrip("_")
        if not seen and key in META:
            continue
        text = ast.unparse(argument.annotation)
        inner = [one for one in re.findall(r"'(\w+)'", text) if one in classes]
        arguments[key] = block(classes, inner[0], (*seen, name)) if inner and inner[0] not in seen else None
        if default is None:
            required.append(key)
    return {"arguments": arguments, "required": sorted(required)}


def main(package: pathlib.Path) -> None:
    schema: dict = {"resource": {}, "data": {}}
    for kind, name in sorted(used()):
        module = name.removeprefix("aws_") if kind == "resource" else f"data_{name}"
        source = (package / "cdktf_cdktf_provider_aws" / module / "__init__.py").read_text()
        schema["version"] = re.search(r"hashicorp/aws/([\d.]+)/", source)[1]
        classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
        config = next(one for one, node in classes.items() if _is_config(node))
        schema[kind][name] = block(classes, config)
    SCHEMA.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n")


def _is_config(node: ast.ClassDef) -> bool:
    return any("TerraformMetaArguments" in ast.unparse(base) for base in node.bases)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
