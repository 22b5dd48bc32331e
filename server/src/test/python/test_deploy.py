"""The templates of deploy/ are well-formed, allow what iam-policy prints, and name settings that there are.

What no test can do here is make anything of them in AWS: whether a region has an engine's version, a subnet
a route, or an image a processor, is seen there first.
"""

from __future__ import annotations

import base64
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import types
import typing

import boto3
import cfnlint.api
import msgspec
import pytest
import yaml
from conftest import LAUNCHER, ROOT
from templates import (
    CLOUDFORMATION,
    KUBERNETES,
    TERRAFORM,
    Module,
    Stack,
    containers,
    kustomized,
    pods,
    sorted_json,
)

ACCOUNT, REGION, BUCKET = "123456789012", "eu-west-1", "a-bucket"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
OVERLAYS = ["irsa", "pod-identity"]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# What a deployment may have: the arguments and settings of iam-policy for it, and the same for each template.
CASES = {
    "plain": ([], {}, {}, {}),
    "marketplace": (
        ["--marketplace"],
        {},
        {"MarketplaceProductCode": "code"},
        {"marketplace_product_code": "code"},
    ),
    "everything": (
        ["--secret-key", KEY + "secret", "--bucket-key", KEY + "bucket"],
        {
            "MARKETPLACE_PRODUCT_CODE": "code",
            "MARKETPLACE_USAGE_DIMENSION": "seconds",
            "MARKETPLACE_USAGE_UNIT": "query_seconds",
        },
        {
            "MarketplaceProductCode": "code",
            "MarketplaceUsageDimension": "seconds",
            "SecretKeyArn": KEY + "secret",
            "BucketKeyArn": KEY + "bucket",
        },
        {
            "marketplace_product_code": "code",
            "marketplace_usage_dimension": "seconds",
            "secret_key_arn": KEY + "secret",
            "bucket_key_arn": KEY + "bucket",
        },
    ),
    "execution": (["--role", "execution"], {}, {}, {}),
}


@pytest.fixture(scope="module")
def services() -> typing.Iterator[str]:
    """The port of a stand-in for AWS."""
    process = subprocess.Popen(
        [sys.executable, str(pathlib.Path(__file__).parent / "aws_services.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process.stdout.readline().strip()
        process.stdin.close()


def without_aws() -> dict[str, str]:
    """The environment, with nothing of this machine's about AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": REGION}


def iam_policy(*arguments: str, **settings: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*LAUNCHER, "iam-policy", "--account", ACCOUNT, *arguments],
        env=without_aws() | settings,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def printed() -> dict[str, dict]:
    """What the program prints for each of the cases."""

    def ask(case: str) -> dict:
        arguments, settings, _, _ = CASES[case]
        required = {"S3_BUCKET_URL": f"s3://{BUCKET}"}
        required |= {f"POSTGRES_{name}": "lake" for name in ("USER", "PASSWORD", "DB")}
        done = iam_policy(*arguments, **required, **settings)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    # Two at a time: each is a virtual machine's start.
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        return dict(zip(CASES, threads.map(ask, CASES)))


def statements(policy: dict) -> list[dict]:
    """Each statement, with lists where there may be one or several. Actions have no order."""
    several = lambda value: sorted(value) if isinstance(value, list) else [value]  # noqa: E731
    return [
        one
        | {"Action": several(one["Action"]), "Resource": several(one["Resource"])}
        | {
            "Condition": {
                test: {key: several(value) for key, value in held.items()}
                for test, held in one.get("Condition", {}).items()
            }
        }
        for one in policy["Statement"]
    ]


@pytest.fixture(scope="module")
def settings() -> set[str]:
    """The keys of the table of settings, wherever it is."""
    for page in DOCUMENTS:
        if match := re.search(r"<!-- settings -->(.*?)<!-- /settings -->", page.read_text(), re.DOTALL):
            found = set(re.findall(r"^\| `(\w+)` \|", match[1], re.MULTILINE))
            assert "postgres_user" in found
            return found
    raise AssertionError("no table of settings")


def seconds(text: str) -> float:
    return float(re.fullmatch(r"([\d.]+)s", text)[1])


def check_times(environment: dict[str, str], stop: float, interval: float, failures: float) -> None:
    """What runs is not cut off, and the load balancer has seen that a task stops before it refuses."""
    delay, timeout = seconds(environment["DRAIN_DELAY"]), seconds(environment["DRAIN_TIMEOUT"])
    assert stop >= delay + timeout + 4
    assert interval * failures + interval / 2 < delay


# ---- CloudFormation


def lint(text: str, tmp_path: pathlib.Path) -> list[str]:
    file = tmp_path / "template.yaml"
    file.write_text(text)
    return [str(one) for one in cfnlint.api.lint_file(file)]


def test_cloudformation_is_what_its_resources_may_be(tmp_path):
    assert lint(CLOUDFORMATION.read_text(), tmp_path) == []


def test_mistakes_in_cloudformation_are_found(tmp_path):
    text = CLOUDFORMATION.read_text()
    for right, wrong in (
        ("AlpnPolicy:", "AlpnPolicies:"),
        ("ReadonlyRootFilesystem: true", "ReadonlyRootFilesystem: perhaps"),
        ("!GetAtt SchedulerRole.Arn", "!GetAtt SchedulerRole.Arm"),
    ):
        assert right in text
        text = text.replace(right, wrong)
    found = "\n".join(lint(text, tmp_path))
    for one in ("AlpnPolicies", "perhaps", "Arm"):
        assert one in found


def stack(**parameters: str) -> Stack:
    parameters = {"BucketName": BUCKET, "CertificateArn": "arn:a-certificate"} | parameters
    return Stack(CLOUDFORMATION.read_text(), **parameters)


@pytest.mark.parametrize("case", CASES)
def test_roles_of_cloudformation_are_what_the_program_prints(case, printed):
    role = "ExecutionRole" if case == "execution" else "TaskRole"
    (policy,) = stack(**CASES[case][2]).resources[role]["Properties"]["Policies"]
    assert statements(policy["PolicyDocument"]) == statements(printed[case])


def test_one_more_action_is_found(printed):
    text = CLOUDFORMATION.read_text().replace("s3:ListBucket]", "s3:ListBucket, s3:GetBucketLocation]")
    one = Stack(text, BucketName=BUCKET).resources["TaskRole"]["Properties"]["Policies"][0]
    assert statements(one["PolicyDocument"]) != statements(printed["plain"])


def test_only_this_account_may_use_the_roles_of_cloudformation():
    for name in ("TaskRole", "ExecutionRole", "SchedulerRole"):
        (trust,) = stack().resources[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        held = {key: value for one in trust["Condition"].values() for key, value in one.items()}
        assert held["aws:SourceAccount"] == ACCOUNT
        assert held["aws:SourceArn"].startswith("arn:aws:")


def container(one: Stack) -> dict:
    (only,) = one.resources["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    return only


@pytest.mark.parametrize("tls", [True, False])
def test_the_listener_of_cloudformation(tls):
    files = {"TlsCertificateFile": "/tls/server.crt", "TlsPrivateKeyFile": "/tls/server.key"}
    one = stack() if tls else stack(CertificateArn="", **files)
    listener = one.resources["Listener"]["Properties"]
    group = one.resources["TargetGroup"]["Properties"]
    attributes = {each["Key"]: each["Value"] for each in group["TargetGroupAttributes"]}
    assert listener["Protocol"] == ("TLS" if tls else "TCP")
    assert listener.get("AlpnPolicy") == (["HTTP2Only"] if tls else None)
    # Neither stickiness nor another idle timeout can be had with TLS listeners.
    assert ("ListenerAttributes" in listener) is not tls
    assert attributes["stickiness.enabled"] == ("false" if tls else "true")
    assert group["Protocol"] == "TCP" and group["Port"] == 31337
    names = {each["Name"] for each in container(one)["Environment"]}
    assert ("FLIGHT_TLS_CERTIFICATE" in names) is not tls


def test_times_of_cloudformation():
    group = stack().resources["TargetGroup"]["Properties"]
    definition = container(stack())
    check_times(
        {one["Name"]: one["Value"] for one in definition["Environment"]},
        definition["StopTimeout"],
        group["HealthCheckIntervalSeconds"],
        group["UnhealthyThresholdCount"],
    )
    assert definition["StopTimeout"] <= 120


def check_settings(names: set[str], settings: set[str]) -> None:
    assert {name.lower() for name in names} <= settings


def test_settings_of_cloudformation(settings):
    marketplace = {
        "MarketplaceProductCode": "code",
        "MarketplacePublicKey": "key",
        "MarketplaceUsageDimension": "seconds",
    }
    for one in (stack(**marketplace), stack(CertificateArn="")):
        check_settings({each["Name"] for each in container(one)["Environment"]}, settings)
    existing = {"DatabaseHost": "db.internal", "DatabaseSecretArn": "arn:a-login"}
    for one in (stack(), stack(**existing)):
        # References to other secrets are as text here, as the template has them.
        secret = json.loads(one.resources["Secret"]["Properties"]["SecretString"])
        check_settings(set(secret), settings)
        assert all(isinstance(value, (str, int)) for value in secret.values())
        (user,) = json.loads(secret["flight_users"])
        assert user.keys() == {"name", "password_hash", "role"}
        assert "{{resolve:secretsmanager:" in secret["flight_token_secret"]
    assert secret["postgres_host"] == "db.internal"
    assert "arn:a-login" in secret["postgres_password"]


def test_the_program_takes_secret_and_variables_of_cloudformation(services, tmp_path):
    password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI"
    # There is no database: port 1 refuses.
    database = {"DatabaseHost": "127.0.0.1", "DatabasePort": "1", "DatabaseSecretArn": "arn:a-login"}
    one = stack(AdminPasswordHash=password_hash, **database)
    assert re.fullmatch(one.template["Parameters"]["AdminPasswordHash"]["AllowedPattern"], password_hash)
    # What Secrets Manager would put in.
    secret = re.sub(
        r"{{resolve:secretsmanager:[^}]*:(\w+)}}",
        lambda match: {"username": "ducklake"}.get(match[1], "x" * 64),
        one.resources["Secret"]["Properties"]["SecretString"],
    )
    testing = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    session = boto3.Session(region_name=REGION, **testing)
    address = f"http://127.0.0.1:{services}"
    session.client("secretsmanager", endpoint_url=address).create_secret(
        Name="lokryn/ducklake/config", SecretString=secret
    )
    session.client("s3", endpoint_url=address).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    variables = {each["Name"]: each["Value"] for each in container(one)["Environment"]}
    variables["TEMP_DIRECTORY"] = str(tmp_path / "spill")
    done = subprocess.run(
        [*LAUNCHER, "doctor", "--json"],
        env=without_aws()
        | variables
        | {name.upper(): value for name, value in testing.items()}
        | {"AWS_ENDPOINT_URL": address},
        capture_output=True,
        text=True,
        timeout=120,
    )
    checks = {each["id"]: each for each in json.loads(done.stdout)["checks"]}
    for each in ("configuration", "users", "secret.read", "s3.put", "s3.list", "spill"):
        assert checks[each]["ok"], checks[each]
    assert not checks["postgres.reach"]["ok"]


def test_an_existing_database_takes_the_place_of_a_new_one():
    one = stack(DatabaseHost="db.internal", DatabaseSecretArn="arn:a", DatabaseSecurityGroupId="sg-1")
    assert not [name for name, each in one.resources.items() if each["Type"].startswith("AWS::RDS")]
    assert one.resources["DatabaseFromTasks"]["Properties"]["GroupId"] == "sg-1"
    # Nothing that is left refers to what is not made.
    left = sorted_json(one.resources)
    for name in set(one.template["Resources"]) - set(one.resources):
        assert not re.search(rf"(ref|attribute):{name}\b", left), name


def test_maintenance_of_cloudformation_is_the_same_task():
    target = stack().resources["Maintenance"]["Properties"]["Target"]
    (override,) = json.loads(target["Input"])["containerOverrides"]
    assert override == {"name": container(stack())["Name"], "command": ["maintain"]}
    assert target["EcsParameters"]["TaskDefinitionArn"] == "ref:TaskDefinition"


# ---- Terraform, by its text


@pytest.fixture(scope="module")
def module() -> Module:
    return Module()


SCHEMA = json.loads((pathlib.Path(__file__).parent / "terraform_aws_schema.json").read_text())
META = {"count", "for_each", "depends_on", "lifecycle", "provider", "dynamic"}


def misfits(body: dict, schema: dict, where: str) -> list[str]:
    """Arguments that the provider does not know, or misses."""
    found = [f"{where}.{name} is missing" for name in schema["required"] if name not in body]
    for name, value in body.items():
        if name in META:
            continue
        if name not in schema["arguments"]:
            found.append(f"{where}.{name} is unknown")
        elif (inner := schema["arguments"][name]) and isinstance(value, list):
            for one in value:
                found += misfits(one, inner, f"{where}.{name}")
    return found


def all_misfits(module: Module) -> list[str]:
    found = []
    for (kind, type_, name), body in module.blocks.items():
        # What is ephemeral is not in that schema.
        if kind == "ephemeral":
            continue
        schema = SCHEMA[kind][type_]
        found += misfits(body, schema, f"{type_}.{name}")
        for one in body.get("dynamic", []):
            for block, over in one.items():
                assert over.keys() == {"for_each", "content"}
                for content in over["content"]:
                    found += misfits(content, schema["arguments"][block], f"{type_}.{name}.{block}")
    return found


def test_terraform_is_what_its_provider_takes(module):
    assert all_misfits(module) == []


def copy(tmp_path: pathlib.Path) -> pathlib.Path:
    """The module, without what somebody has left there who used it."""
    left = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars")
    return pathlib.Path(shutil.copytree(TERRAFORM, tmp_path / "terraform", ignore=left))


def copied(tmp_path: pathlib.Path, file: str, right: str, wrong: str) -> pathlib.Path:
    folder = copy(tmp_path)
    text = (folder / file).read_text()
    assert right in text
    (folder / file).write_text(text.replace(right, wrong))
    return folder


def test_a_mistake_in_terraform_is_found(tmp_path):
    folder = copied(tmp_path, "load_balancer.tf", "unhealthy_threshold", "unhealthy_threshhold")
    assert all_misfits(Module(folder)) == [
        "aws_lb_target_group.flight.health_check.unhealthy_threshhold is unknown"
    ]


def test_references_of_terraform(module):
    code = module.code()
    used = set(re.findall(r"\bvar\.(\w+)", code))
    assert used == set(module.variables)
    named = set(re.findall(r"\blocal\.(\w+)", code))
    assert named == set(module.locals)
    known = {(kind, type_, name) for kind, type_, name in module.blocks}
    references = set(re.findall(r"\b(data\.|ephemeral\.|)(aws_\w+)\.(\w+)", code))
    for kind, type_, name in references:
        assert (kind.rstrip(".") or "resource", type_, name) in known, (kind, type_, name)
    example = set(re.findall(r"^(\w+) +=", (TERRAFORM / "terraform.tfvars.example").read_text(), re.MULTILINE))
    assert example <= set(module.variables)
    assert {name for name, one in module.variables.items() if "default" not in one} <= example


@pytest.mark.parametrize("case", CASES)
def test_policies_of_terraform_are_what_the_program_prints(case, printed, module):
    variables = CASES[case][3]
    given = {
        "local.partition": "aws",
        "local.region": REGION,
        "local.account": ACCOUNT,
        "local.suffix": "amazonaws.com",
        "local.bucket": BUCKET,
        "local.log_group": "/ecs/ducklake-flight",
        "var.secret_name": "lokryn/ducklake/config",
    }
    metering = ["aws-marketplace:RegisterUsage"]
    if "marketplace_usage_dimension" in variables:
        metering.append("aws-marketplace:MeterUsage")
    present = {
        f"${{var.{name} == null ? [] : [{value}]}}": [taken] if name in variables else []
        for name, value, taken in (
            ("secret_key_arn", "var.secret_key_arn", KEY + "secret"),
            ("bucket_key_arn", "var.bucket_key_arn", KEY + "bucket"),
            ("marketplace_product_code", "local.metering", metering),
        )
    }
    name = "execution" if case == "execution" else "task"
    assert statements(module.policy(name, given, present)) == statements(printed[case])


def test_settings_of_terraform(module, settings):
    environment = module.locals["environment"]
    names = set(re.findall(r"\b([A-Z][A-Z0-9_]{3,}) *=", environment))
    assert "DUCKLAKE_SECRET_ID" in names
    check_settings(names, settings)
    secret = module.blocks["resource", "aws_secretsmanager_secret_version", "config"]
    keys = set(re.findall(r"\b((?:postgres|flight|s3|aws)_\w+) *=", secret["secret_string_wo"]))
    assert {"postgres_password", "flight_token_secret", "flight_users"} <= keys
    check_settings(keys, settings)


def test_times_of_terraform(module):
    environment = dict(re.findall(r'(DRAIN_\w+) *= *"(\w+)"', module.locals["environment"]))
    definition = module.blocks["resource", "aws_ecs_task_definition", "this"]["container_definitions"]
    check = module.blocks["resource", "aws_lb_target_group", "flight"]["health_check"][0]
    stop = int(re.search(r"stopTimeout = (\d+)", definition)[1])
    check_times(environment, stop, int(check["interval"]), int(check["unhealthy_threshold"]))


# ---- Terraform, by Terraform itself where it is installed, with the provider


def provider() -> pathlib.Path | None:
    """A folder with the provider, since it is not fetched for this."""
    home = pathlib.Path.home()
    places = [home / ".terraform.d" / "plugins", pathlib.Path("/usr/local/share/terraform/plugins")]
    places += pathlib.Path("/opt").glob("*")
    for place in places:
        if list(place.glob("registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*")):
            return place
    return None


needs_terraform = pytest.mark.skipif(
    not shutil.which("terraform") or provider() is None,
    reason="Terraform and its provider for AWS are not installed",
)


def terraform(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = without_aws() | {
        "CHECKPOINT_DISABLE": "1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    return subprocess.run(
        ["terraform", f"-chdir={folder}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )


def initialized(folder: pathlib.Path) -> pathlib.Path:
    done = terraform(folder, "init", "-backend=false", "-no-color", f"-plugin-dir={provider()}")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


# What AWS would answer; passwords are those of the stand-in.
PLAN = """
provider "aws" {
  region                      = "%(region)s"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true

  endpoints {
    secretsmanager = "http://127.0.0.1:%(port)s"
  }
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "%(account)s" }
}

variables {
  image                    = "an-image"
  vpc_id                   = "vpc-1"
  task_subnet_ids          = ["subnet-1", "subnet-2"]
  load_balancer_subnet_ids = ["subnet-1", "subnet-2"]
  bucket_name              = "%(bucket)s"
  certificate_arn          = "arn:aws:acm:%(region)s:%(account)s:certificate/1"
  flight_users             = [{ name = "ana", password_hash = "$argon2id$1", role = "admin" }]
}
"""

RUN = """
run "plan" {
  command = plan
  variables {
    %s
  }
  assert {
    condition     = output.task_role_policy == output.execution_role_policy
    error_message = "TASK ${base64encode(output.task_role_policy)} EXECUTION ${base64encode(output.execution_role_policy)} END"
  }
}
"""


@needs_terraform
def test_terraform_itself(tmp_path, printed, services):
    done = terraform(TERRAFORM, "fmt", "-check", "-diff")
    assert done.returncode == 0, done.stdout
    folder = initialized(copy(tmp_path))
    values = {"region": REGION, "port": services, "account": ACCOUNT, "bucket": BUCKET}
    variables = "\n".join(f'{name} = "{value}"' for name, value in CASES["everything"][3].items())
    (folder / "policies.tftest.hcl").write_text(PLAN % values + RUN % variables)
    done = terraform(folder, "test", "-no-color")
    # The plan ends with the policies as the text of a failure, and fails for nothing else.
    said = re.sub(r"\s", "", done.stdout + done.stderr)
    found = re.search(r"TASK([\w+/=]+?)EXECUTION([\w+/=]+?)END", said)
    assert found and said.count("Error:") == 1, done.stdout + done.stderr
    for policy, case in zip(found.groups(), ("everything", "execution")):
        assert statements(json.loads(base64.b64decode(policy))) == statements(printed[case])


# ---- Kubernetes


def model(kind: str, version: str) -> type:
    """The class of a kind of object."""
    group, _, name = version.rpartition("/")
    module = f"{group.split('.')[0] or 'core'}_{name}"
    return getattr(__import__(f"lightkube.models.{module}", fromlist=[kind]), kind)


def wrong(value, expected, where: str) -> list[str]:
    """Where an object has a key that its class does not, or a value of another type."""
    if typing.get_origin(expected) in (typing.Union, types.UnionType):
        choices = [one for one in typing.get_args(expected) if one is not type(None)]
        return min((wrong(value, one, where) for one in choices), key=len)
    if typing.get_origin(expected) is list:
        (inner,) = typing.get_args(expected)
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [each for number, one in enumerate(value) for each in wrong(one, inner, f"{where}[{number}]")]
    if expected is dict or typing.get_origin(expected) is dict:
        # Labels, annotations, data, quantities.
        inner = typing.get_args(expected)[1] if typing.get_args(expected) else str
        if not isinstance(value, dict):
            return [f"{where} is no mapping"]
        return [each for key, one in value.items() for each in wrong(one, inner, f"{where}.{key}")]
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
        if not isinstance(value, dict):
            return [f"{where} is no {expected.__name__}"]
        fields = {field.encode_name: field for field in msgspec.structs.fields(expected)}
        found = [
            f"{where}.{name} is missing"
            for name, field in fields.items()
            if field.required and name not in value
        ]
        for name, one in value.items():
            if name not in fields:
                found.append(f"{where}.{name} is unknown")
            else:
                found += wrong(one, fields[name].type, f"{where}.{name}")
        return found
    if expected in (str, int, bool, float):
        fits = type(value) is expected or (expected is float and type(value) is int)
        return [] if fits else [f"{where} is no {expected.__name__}"]
    assert expected is typing.Any or expected is object, expected
    return []


def object_misfits(one: dict) -> list[str]:
    kind, version = one["kind"], one["apiVersion"]
    return wrong(one, model(kind, version), kind)


@pytest.fixture(params=OVERLAYS)
def objects(request) -> list[dict]:
    return kustomized(KUBERNETES / "overlays" / request.param)


def test_kubernetes_knows_all_that_its_objects_have(objects):
    assert [each for one in objects for each in object_misfits(one)] == []
    assert len({(one["kind"], one["metadata"]["name"]) for one in objects}) == len(objects) == 8


def test_mistakes_in_kubernetes_are_found(objects):
    deployment = kind(objects, "Deployment")
    deployment["spec"]["replicas"] = "2"
    (container,) = containers(deployment)
    container["readinessProbe"]["failureThreshhold"] = 2
    del container["name"]
    assert object_misfits(deployment) == [
        "Deployment.spec.replicas is no int",
        "Deployment.spec.template.spec.containers[0].name is missing",
        "Deployment.spec.template.spec.containers[0].readinessProbe.failureThreshhold is unknown",
    ]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubectl_makes_the_same_of_them(overlay):
    done = subprocess.run(
        ["kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    theirs = list(yaml.safe_load_all(done.stdout))
    ours = kustomized(KUBERNETES / "overlays" / overlay)
    assert sorted(map(sorted_json, theirs)) == sorted(map(sorted_json, ours))


def kind(objects: list[dict], name: str) -> dict:
    (one,) = (each for each in objects if each["kind"] == name)
    return one


def test_names_and_labels_of_kubernetes_fit_together(objects):
    names = {(one["kind"], one["metadata"]["name"]) for one in objects}
    deployment = kind(objects, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        kind(objects, "Service")["spec"]["selector"],
        kind(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        kind(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(
            spread["labelSelector"]["matchLabels"]
            for spread in deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
        ),
    ]
    for selector in selectors:
        assert selector.items() <= labels.items()
    # Clients are not sent to maintenance.
    (maintain,) = pods(kind(objects, "CronJob"))
    assert not selectors[1].items() <= maintain["metadata"]["labels"].items()
    ports = {port["name"]: port["containerPort"] for port in containers(deployment)[0]["ports"]}
    assert ports == {"flight": 31337, "http": 8080}
    for one in (each for each in objects if pods(each)):
        (template,) = pods(one)
        assert ("ServiceAccount", template["spec"]["serviceAccountName"]) in names
        (container,) = containers(one)
        for source in container["envFrom"]:
            assert ("ConfigMap", source["configMapRef"]["name"]) in names
        volumes = {volume["name"] for volume in template["spec"]["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        for probe in (value for key, value in container.items() if key.endswith("Probe")):
            assert probe["httpGet"]["port"] in ports


def test_pods_may_do_nothing_that_they_need_not(objects):
    for one in (each for each in objects if pods(each)):
        (template,), (container,) = pods(one), containers(one)
        assert template["spec"]["securityContext"]["runAsNonRoot"]
        assert template["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}


PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"

# Those of the AWS Load Balancer Controller that are of use here.
ANNOTATIONS = set(
    """additional-resource-tags alpn-policy attributes backend-protocol eip-allocations healthcheck-healthy-threshold
    healthcheck-interval healthcheck-path healthcheck-port healthcheck-protocol healthcheck-success-codes
    healthcheck-timeout healthcheck-unhealthy-threshold ip-address-type ipv6-addresses
    manage-backend-security-group-rules name nlb-target-type private-ipv4-addresses scheme security-groups ssl-cert
    ssl-negotiation-policy ssl-ports subnets target-group-attributes target-node-labels type""".split()
)


def test_the_load_balancer_of_kubernetes_is_that_of_cloudformation(objects):
    service = kind(objects, "Service")
    given = {key.removeprefix(PREFIX): value for key, value in service["metadata"]["annotations"].items()}
    assert given.keys() <= ANNOTATIONS
    group = stack().resources["TargetGroup"]["Properties"]
    assert {key.removeprefix("healthcheck-"): given[key] for key in given if key.startswith("healthcheck-")} == {
        "protocol": group["HealthCheckProtocol"].lower(),
        "port": group["HealthCheckPort"],
        "path": group["HealthCheckPath"],
        "success-codes": group["Matcher"]["HttpCode"],
        "interval": str(group["HealthCheckIntervalSeconds"]),
        "timeout": str(group["HealthCheckTimeoutSeconds"]),
        "healthy-threshold": str(group["HealthyThresholdCount"]),
        "unhealthy-threshold": str(group["UnhealthyThresholdCount"]),
    }
    theirs = {one["Key"]: one["Value"] for one in group["TargetGroupAttributes"]}
    ours = dict(one.split("=") for one in given["target-group-attributes"].split(","))
    for key in ours.keys() - {"deregistration_delay.timeout_seconds"}:
        assert ours[key] == theirs[key], key
    assert [given["alpn-policy"]] == stack().resources["Listener"]["Properties"]["AlpnPolicy"]
    assert given["ssl-ports"] == str(service["spec"]["ports"][0]["port"])


def test_settings_and_times_of_kubernetes(objects, settings):
    environment = kind(objects, "ConfigMap")["data"]
    check_settings(set(environment), settings)
    deployment = kind(objects, "Deployment")
    annotations = kind(objects, "Service")["metadata"]["annotations"]
    stop = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    check_times(
        environment,
        stop,
        float(annotations[PREFIX + "healthcheck-interval"]),
        float(annotations[PREFIX + "healthcheck-unhealthy-threshold"]),
    )
    for one in (deployment, kind(objects, "CronJob")):
        (volume,) = pods(one)[0]["spec"]["volumes"]
        size = int(re.fullmatch(r"(\d+)Gi", volume["emptyDir"]["sizeLimit"])[1]) * 2**30
        assert int(re.fullmatch(r"(\d+)GB", environment["MAX_TEMP_DIRECTORY_SIZE"])[1]) * 10**9 < size
        assert environment["TEMP_DIRECTORY"].startswith(containers(one)[0]["volumeMounts"][0]["mountPath"])


# ---- All of them, and the pages


def test_all_of_them_run_the_image_as_it_is_made():
    image = (ROOT / "docker" / "Dockerfile").read_text()
    user = re.search(r"--uid (\d+)", image)[1]
    assert container(stack())["User"] == f"{user}:{user}"
    assert f'user                   = "{user}:{user}"' in Module().text
    for one in (each for overlay in OVERLAYS for each in kustomized(KUBERNETES / "overlays" / overlay)):
        for template in pods(one):
            assert template["spec"]["securityContext"]["runAsUser"] == int(user)


def test_the_page_of_iam_has_what_the_program_prints(printed):
    page = (ROOT / "docs" / "iam.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", page, re.MULTILINE))
    allowed: dict[str, list[str]] = {}
    for policy in printed.values():
        for one in policy["Statement"]:
            allowed.setdefault(one["Sid"], []).extend(one["Action"])
    assert rows.keys() == allowed.keys()
    for sid, actions in allowed.items():
        assert set(re.findall(r"`([\w-]+:\w+)`", rows[sid])) == set(actions), sid


def test_the_page_of_deploying_names_what_there_is(module, settings):
    page = (ROOT / "docs" / "deploy.md").read_text()
    # Parameters of CloudFormation in commands and in the text, all in this form.
    named = set(re.findall(r"^ +([A-Z]\w+)=", page, re.MULTILINE))
    assert {"Image", "VpcId", "AdminPasswordHash"} <= named
    named |= set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][A-Za-z]+)+)`", page))
    declared = stack().template
    assert named <= declared["Parameters"].keys() | declared["Outputs"].keys()
    known = module.variables.keys() | module.outputs.keys() | settings
    words = set(re.findall(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`", page))
    assert words <= known | {"source_ip"}, words - known - {"source_ip"}
    for folder in re.findall(r"\bdeploy/[\w./-]+\b", page):
        assert (ROOT / folder).exists(), folder
    required = {name for name, one in declared["Parameters"].items() if "Default" not in one}
    assert required <= named
