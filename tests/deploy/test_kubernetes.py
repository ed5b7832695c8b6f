"""deploy/kubernetes: valid by Kubernetes' own schemas, and as safe as the strictest of its policies wants it."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    each
    for name in KUSTOMIZATION["resources"]
    for each in yaml.safe_load_all((FOLDER / name).read_text())
]
PODS = {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in OBJECTS
    if each["kind"] in {"Deployment", "Job"}
}


def named(kind: str) -> dict[str, Any]:
    return {each["metadata"]["name"]: each["spec"] for each in OBJECTS if each["kind"] == kind}


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_every_object_is_valid(version: str) -> None:
    for each in OBJECTS:
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("name", PODS)
def test_every_pod_is_restricted(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"]["cpu"]
    assert {"name": "secrets", "secret": {"secretName": "earful", "defaultMode": 0o440}} in pod[
        "volumes"
    ]


def test_no_secret_is_contained() -> None:
    assert "Secret" not in {each["kind"] for each in OBJECTS}
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    settings = {line.partition("=")[0].lower() for line in generated["literals"]}
    assert settings <= set(Settings.model_fields)


def test_what_runs_is_scaled_and_not_taken_away_at_once() -> None:
    assert named("HorizontalPodAutoscaler").keys() == {"api", "worker"}
    assert (
        named("PodDisruptionBudget").keys()
        == {"api", "worker", "relay"}
        == named("Deployment").keys()
    )
    for budget in named("PodDisruptionBudget").values():
        assert budget["maxUnavailable"] == 1
    # The autoscaler's number would be undone by each apply.
    assert [name for name, spec in named("Deployment").items() if "replicas" in spec] == ["relay"]


def test_a_pod_has_the_time_to_drain() -> None:
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    settings = dict(line.split("=", 1) for line in generated["literals"])
    pause = PODS["api"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    for name in ("api", "worker", "relay"):
        assert (
            pause + float(settings["SHUTDOWN_SECONDS"])
            < PODS[name]["terminationGracePeriodSeconds"]
        )


def test_metrics_and_readiness_are_not_outside() -> None:
    (rule,) = named("Ingress")["earful"]["rules"]
    paths = {each["path"]: each["pathType"] for each in rule["http"]["paths"]}
    assert paths["/"] == "Exact"
    assert not paths.keys() & {"/metrics", "/readyz"}
