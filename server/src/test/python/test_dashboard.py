"""Dashboard and alerts are valid PromQL, and ask for labels and values that a server has."""

from __future__ import annotations

import json
import re
import socket
import urllib.request

import promql_parser
import pytest
import yaml
from conftest import ROOT

DEPLOY = ROOT / "deploy" / "observability"
SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? ")
LABEL = re.compile(r'(\w+)="([^"]*)"')

# Checks of production, which a local server has not, and what Prometheus adds.
CHECKS = {"credentials", "metering.usage", "drain"}
ADDED = {"instance", "job"}


def expressions() -> list[tuple[str, str]]:
    dashboard = json.loads((DEPLOY / "dashboard.json").read_text())
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())
    found = [
        (panel["title"], target["expr"])
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]
    found += [(rule["alert"], rule["expr"]) for group in rules["groups"] for rule in group["rules"]]
    # What Grafana puts in their place.
    return [
        (name, text.replace("$__rate_interval", "1m").replace("$instance", ".*"))
        for name, text in found
    ]


def selectors(node) -> list:
    """All vector selectors below a node of the parser's."""
    if isinstance(node, promql_parser.VectorSelector):
        return [node]
    children = []
    for name in ("expr", "lhs", "rhs", "vector_selector", "args", "param"):
        child = getattr(node, name, None)
        if child is not None:
            children += child if isinstance(child, list) else [child]
    return [found for child in children for found in selectors(child)]


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> dict[str, dict[str, set]]:
    """The values of each label of each metric of a server."""
    from conftest import Server

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    lake = tmp_path_factory.mktemp("observed")
    server = Server(lake, environment={"HTTP_PORT": str(port)}).wait()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    finally:
        assert server.stop() == 0
    found: dict[str, dict[str, set]] = {}
    for line in text.splitlines():
        if match := SERIES.match(line):
            ours = found.setdefault(match[1], {})
            for name, value in LABEL.findall(match[2] or ""):
                ours.setdefault(name, set()).add(value)
    return found


@pytest.mark.parametrize(("name", "text"), expressions(), ids=lambda value: value[:40])
def test_an_expression(name, text, labels):
    parsed = promql_parser.parse(text)
    found = selectors(parsed)
    assert found, text
    for selector in found:
        # Pauses have a metric once there was one.
        known = labels.get(selector.name)
        if known is None:
            assert selector.name.startswith("jvm_gc_pause_seconds"), selector.name
            continue
        for matcher in selector.matchers.matchers:
            if matcher.name in ADDED:
                continue
            assert matcher.name in known, (text, matcher.name)
            values = set(matcher.value.split("|"))
            if matcher.name == "check":
                assert values <= CHECKS
            else:
                assert values <= known[matcher.name], (text, values)


def test_a_broken_expression_is_found():
    with pytest.raises(ValueError):
        promql_parser.parse("sum by (instance (rate(x[5m])))")


def test_rules_have_what_prometheus_wants():
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())
    for group in rules["groups"]:
        assert set(group) == {"name", "rules"}
        for rule in group["rules"]:
            assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
            assert rule["labels"]["severity"] in {"critical", "warning"}
            assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))
            assert {"summary", "description"} == set(rule["annotations"])
            # Only labels that the expression leaves may be named.
            text = " ".join(rule["annotations"].values())
            for label in re.findall(r"\$labels\.(\w+)", text):
                kept = re.search(r"by \(([^)]*)\)", rule["expr"])
                assert kept is None or label in re.split(r",\s*", kept[1]), (rule["alert"], label)
