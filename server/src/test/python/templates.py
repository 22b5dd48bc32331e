"""Reads the templates of deploy/ as their tools do, as far as they need: CloudFormation's functions, Terraform's
blocks, kustomize's patches."""

from __future__ import annotations

import copy
import functools
import json
import pathlib
import re

import hcl2
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[4]
CLOUDFORMATION = ROOT / "deploy" / "cloudformation" / "ducklake-flight.yaml"
TERRAFORM = ROOT / "deploy" / "terraform"
KUBERNETES = ROOT / "deploy" / "kubernetes"


# ---- CloudFormation


class _Loader(yaml.SafeLoader):
    """Takes !Sub and its like for {"Fn::Sub": …}."""


def _function(loader: _Loader, suffix: str, node: yaml.Node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)

ABSENT = object()


@functools.cache
def _template(text: str) -> dict:
    return yaml.load(text, _Loader)



class Stack:
    """A template with parameters: what CloudFormation would make of it, before anything exists."""

    def __init__(self, text: str, **parameters: str):
        self.template = _template(text)
        self.values = {
            "AWS::AccountId": "123456789012",
            "AWS::Region": "eu-west-1",
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": ABSENT,
        }
        for name, declared in self.template["Parameters"].items():
            self.values[name] = declared.get("Default", f"a-{name}")
        unknown = parameters.keys() - self.template["Parameters"].keys()
        assert not unknown, unknown
        self.values |= parameters

    @property
    def resources(self) -> dict:
        """Those whose conditions hold, without values that are absent."""
        return {
            name: self._value(resource)
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }

    def _holds(self, condition) -> bool:
        if isinstance(condition, str):
            return self._holds(self.template["Conditions"][condition])
        ((function, value),) = condition.items()
        match function:
            case "Condition":
                return self._holds(value)
            case "Fn::Equals":
                return str(self._value(value[0])) == str(self._value(value[1]))
            case "Fn::Not":
                return not self._holds(value[0])
            case "Fn::And":
                return all(self._holds(one) for one in value)
        raise AssertionError(condition)

    def _value(self, node):
        if isinstance(node, list):
            return [value for one in node if (value := self._value(one)) is not ABSENT]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, value),) = node.items()
            match function:
                case "Ref":
                    return self._ref(value)
                case "Fn::GetAtt":
                    return self._attribute(*value)
                case "Fn::Sub":
                    return self._substituted(value)
                case "Fn::If":
                    return self._value(value[1] if self._holds(value[0]) else value[2])
                case "Fn::Select":
                    return self._value(value[1])[int(value[0])]
                case "Fn::Split":
                    return self._value(value[1]).split(value[0])
        return {
            key: value for key, one in node.items() if (value := self._value(one)) is not ABSENT
        }

    def _ref(self, name: str):
        if name in self.values:
            return self.values[name]
        assert name in self.template["Resources"], name
        if name == "Bucket":
            return self._value(self.template["Resources"][name]["Properties"]["BucketName"])
        return f"ref:{name}"

    def _attribute(self, name: str, attribute: str) -> str:
        assert name in self.template["Resources"], name
        if (name, attribute) == ("Bucket", "Arn"):
            return f"arn:{self.values['AWS::Partition']}:s3:::{self._ref(name)}"
        return f"attribute:{name}.{attribute}"

    def _substituted(self, value) -> str:
        text, given = (value, {}) if isinstance(value, str) else value
        given = {name: self._value(one) for name, one in given.items()}

        def one(match: re.Match) -> str:
            name = match[1]
            if name in given:
                return str(given[name])
            return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

        return re.sub(r"\$\{([\w:.]+)}", one, text)


# ---- Terraform


def _plain(node):
    """What the parser gives, without its marks, and texts without their quotes."""
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if isinstance(node, dict):
        return {
            _unquoted(key): _plain(value)
            for key, value in node.items()
            if not (key.startswith("__") and key.endswith("__"))
        }
    return _unquoted(node) if isinstance(node, str) else node


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"')
    return text


class Module:
    """The blocks of a folder of .tf files."""

    def __init__(self, folder: pathlib.Path = TERRAFORM):
        self.text = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))
        parsed = _plain(hcl2.loads(self.text))
        self.variables = self._merged(parsed["variable"])
        self.locals = self._merged(parsed["locals"])
        self.outputs = self._merged(parsed["output"])
        self.blocks = {
            (kind, type_, name): body
            for kind in ("resource", "data", "ephemeral")
            for one in parsed[kind]
            for type_, named in one.items()
            for name, body in named.items()
        }

    @staticmethod
    def _merged(blocks: list[dict]) -> dict:
        merged: dict = {}
        for one in blocks:
            assert not merged.keys() & one.keys(), merged.keys() & one.keys()
            merged |= one
        return merged

    def code(self) -> str:
        """All of it without comments and texts that are not looked into."""
        return re.sub(r"^\s*#.*$", "", self.text, flags=re.MULTILINE)

    def policy(self, name: str, given: dict[str, object], present: dict[str, list]) -> dict:
        """A document: its references are given, and so are the lists that its dynamic statements go over."""
        body = self.blocks["data", "aws_iam_policy_document", name]
        # A dynamic statement comes where it was written: the parser keeps both kinds apart.
        order = re.findall(r'sid\s+= "(\w+)"', self.text)
        statements = [_statement(one, given) for one in body["statement"]]
        for one in body.get("dynamic", []):
            over = one["statement"]
            for value in present[over["for_each"]]:
                statements.append(_statement(over["content"][0], given | {"statement.value": value}))
        statements.sort(key=lambda one: order.index(one["Sid"]))
        return {"Version": "2012-10-17", "Statement": statements}


def _statement(block: dict, given: dict[str, object]) -> dict:
    value = lambda one: _interpolated(one, given)  # noqa: E731
    statement = {
        "Sid": block["sid"],
        "Effect": block.get("effect", "Allow"),
        "Action": value(block["actions"]),
        "Resource": value(block["resources"]),
    }
    for condition in block.get("condition", []):
        held = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        held[condition["variable"]] = value(condition["values"])
    return statement


def _interpolated(node, given: dict[str, object]):
    if isinstance(node, list):
        return [_interpolated(one, given) for one in node]
    if whole := re.fullmatch(r"\$\{([\w.]+)}", node):
        return given[whole[1]]
    return re.sub(r"\$\{([\w.]+)}", lambda match: str(given[match[1]]), node)


# ---- kustomize


def kustomized(overlay: pathlib.Path) -> list[dict]:
    """The objects of an overlay, its patches and images applied."""
    folder = overlay
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    known = {"apiVersion", "kind", "namespace", "resources", "images", "patches"}
    assert kustomization.keys() <= known, kustomization.keys() - known
    objects: list[dict] = []
    for name in kustomization["resources"]:
        path = (folder / name).resolve()
        if path.is_dir():
            objects += kustomized(path)
        else:
            objects += [one for one in yaml.safe_load_all(path.read_text()) if one]
    if namespace := kustomization.get("namespace"):
        for one in objects:
            if one["kind"] != "Namespace":
                one["metadata"]["namespace"] = namespace
    for patch in kustomization.get("patches", []):
        if "path" in patch:
            change = yaml.safe_load((folder / patch["path"]).read_text())
            _merge(_found(objects, change["kind"], change["metadata"]["name"]), change)
        else:
            target = _found(objects, patch["target"]["kind"], patch["target"]["name"])
            for operation in yaml.safe_load(patch["patch"]):
                _add(target, operation)
    for image in kustomization.get("images", []):
        for container in (one for each in objects for one in containers(each)):
            if container["image"] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    return objects


def containers(one: dict) -> list[dict]:
    return [container for spec in pods(one) for container in spec["spec"]["containers"]]


def pods(one: dict) -> list[dict]:
    """The templates of pods in an object."""
    spec = one.get("spec", {})
    if one["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return [spec["template"]] if "template" in spec else []


def _found(objects: list[dict], kind: str, name: str) -> dict:
    return next(one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name))


def _merge(target: dict, change: dict) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            assert not isinstance(value, list), "lists are not merged here"
            target[key] = copy.deepcopy(value)


def _add(target: dict, operation: dict) -> None:
    assert operation["op"] == "add" and operation["path"].endswith("/-"), operation
    for part in operation["path"].split("/")[1:-1]:
        target = target[part]
    target.append(operation["value"])


def sorted_json(value) -> str:
    return json.dumps(value, sort_keys=True)
