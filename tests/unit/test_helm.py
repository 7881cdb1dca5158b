"""The Helm chart: linted, rendered, held to the API's schemas, to our settings, and to what a container may do."""

import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml

from pipeline.cli import make_app
from pipeline.settings import PREFIX, Settings
from tests.support.tools import tool

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "vision-events"
KUBERNETES = "1.34"
ALL = (
    *("worker.keda.enabled=true", "podMonitor.enabled=true", "tlsSecret=tls", "alertWorker.receiversSecret=receivers"),
    *(
        "gateway.ingress.enabled=true",
        "gateway.ingress.host=vision.example.com",
        "worker.keda.metadata.sasl=scram_sha512",
    ),
)
FOREIGN = {"ScaledObject", "PodMonitor"}
"""Of KEDA and the Prometheus Operator: their schemas are not at hand."""


def helm(*arguments: str) -> str:
    program = tool("helm", "go install helm.sh/helm/v3/cmd/helm@v3.22.0")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rendered(*values: str) -> list[dict[str, Any]]:
    sets = [part for value in values for part in ("--set", value)]
    text = helm("template", "plant", str(CHART), "--kube-version", f"{KUBERNETES}.0", *sets)
    return [document for document in yaml.safe_load_all(text) if document]


def pods(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for document in documents:
        spec = document.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            found.append(spec["template"]["spec"])
    return found


def test_it_is_linted() -> None:
    helm("lint", str(CHART), "--strict", "--kube-version", f"{KUBERNETES}.0")


@pytest.mark.parametrize("values", [(), ALL], ids=["defaults", "everything"])
def test_every_object_is_one_of_the_api(values: tuple[str, ...]) -> None:
    documents = rendered(*values)
    kinds = {document["kind"] for document in documents}
    assert (kinds >= FOREIGN) == bool(values)
    for document in documents:
        if document["kind"] not in FOREIGN:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_processes_are_ours_and_so_are_their_settings() -> None:
    documents = rendered(*ALL)
    containers = [container for pod in pods(documents) for container in pod["containers"]]
    commands = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]
    assert {container["args"][0] for container in containers} == {
        *("worker", "alert-worker", "gateway", "migrate", "retention"),
    }
    for container in containers:
        assert container["args"][0] in commands
        names = {entry["name"].removeprefix(PREFIX).lower() for entry in container["env"]}
        assert names - {"secrets_dir"} <= set(Settings.model_fields)
        given = {entry["name"].removeprefix(PREFIX).lower(): entry["value"] for entry in container["env"]}
        given.pop("secrets_dir")
        Settings(**given)
    by_name = {container["name"]: {e["name"]: e["value"] for e in container["env"]} for container in containers}
    assert by_name["migrate"]["VISION_EVENTS_CLICKHOUSE_USER"] == "vision_admin"
    assert by_name["worker"]["VISION_EVENTS_CLICKHOUSE_USER"] == "vision_writer"
    assert by_name["retention"]["VISION_EVENTS_S3_ACCESS_KEY"] == "vision-retention"


def test_each_kind_of_process_may_be_a_user_of_its_own() -> None:
    kinds = {"worker": "worker", "alertWorker": "alert-worker", "gateway": "gateway"}
    values = [f"{key}.settings.kafka_user=vision-{name}" for key, name in kinds.items()]
    secrets = [f"{key}.secret=of-{name}" for key, name in kinds.items()]
    found = {pod["containers"][0]["name"]: pod for pod in pods(rendered(*ALL, *values, *secrets))}
    for name in kinds.values():
        environment = {entry["name"]: entry["value"] for entry in found[name]["containers"][0]["env"]}
        assert environment["VISION_EVENTS_KAFKA_USER"] == f"vision-{name}"
        assert environment["VISION_EVENTS_KAFKA_BOOTSTRAP"]
        assert {"secretName": f"of-{name}", "defaultMode": 0o440} in [v.get("secret") for v in found[name]["volumes"]]
    assert "VISION_EVENTS_ALERT_RECEIVERS" in str(found["alert-worker"])
    assert found["gateway"]["containers"][0]["ports"][1]["containerPort"] == 8080


def test_pods_are_hardened_and_have_what_they_mount() -> None:
    for pod in pods(rendered(*ALL)):
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            may = container["securityContext"]
            assert may["readOnlyRootFilesystem"]
            assert not may["allowPrivilegeEscalation"]
            assert may["capabilities"] == {"drop": ["ALL"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_each_is_scaled_by_one_only() -> None:
    for values, scaled in ((("worker.keda.enabled=true",), True), ((), False)):
        documents = rendered(*values)
        (worker,) = [
            each for each in documents if each["kind"] == "Deployment" and each["metadata"]["name"] == "plant-worker"
        ]
        assert ("replicas" not in worker["spec"]) == scaled
    (scaler,) = [each for each in rendered("worker.keda.enabled=true") if each["kind"] == "ScaledObject"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == "plant-worker"
    trigger = scaler["spec"]["triggers"][0]["metadata"]
    assert trigger["topic"] == "vision.inferences"
    assert trigger["consumerGroup"] == Settings.model_fields["ingest_group"].default
