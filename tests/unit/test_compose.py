"""docker-compose.yaml against the settings, the lock and the environment that `make up` uses."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.platform.airflow import COMMANDS, AirflowSettings, environment
from include.platform.database import airflow_connection, with_login
from include.platform.secrets import SECRET_NAMES, Secrets
from include.settings import ROOT, Settings

COMPOSE = ROOT / "docker-compose.yaml"
CONTAINER = Path("/opt/tidemark")
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rule>:[?-])?(?P<rest>[^}]*)\}")
FILLED = {
    "POSTGRES_PASSWORD": "owner0",
    "TIDEMARK_LLM_API_KEY": "key-of-the-model",
    **{f"TIDEMARK_{name.upper()}": f"value-of-{name}" for name in SECRET_NAMES},
}


def interpolated(text: str, values: dict[str, str]) -> str:
    """Fill in variables as Compose does; one that is required and missing raises KeyError."""

    def fill(match: re.Match[str]) -> str:
        if match["rule"] == ":-":
            return values.get(match["name"], match["rest"])
        return values[match["name"]]

    return VARIABLE.sub(fill, text)


@pytest.fixture(scope="module")
def text() -> str:
    return "\n".join(
        line
        for line in COMPOSE.read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith("#")
    )


@pytest.fixture(scope="module")
def services(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(interpolated(text, FILLED))["services"]
    return found


def test_every_variable_of_ours_is_a_setting(text: str, services: dict[str, Any]) -> None:
    known = {f"TIDEMARK_{name.upper()}" for name in Settings.model_fields}
    used = {match["name"] for match in VARIABLE.finditer(text)}
    used |= {name for service in services.values() for name in service.get("environment", {})}
    ours = {name for name in used if name.startswith("TIDEMARK_")}
    assert len(ours) > 10
    assert ours <= known


def test_airflow_gets_what_it_gets_without_containers(services: dict[str, Any]) -> None:
    owner = f"postgresql://tidemark:{FILLED['POSTGRES_PASSWORD']}@postgres:5432/"
    pipeline = with_login(f"{owner}tidemark", "tidemark_pipeline", "value-of-pipeline_password")
    home = Path("/var/lib/tidemark")
    config = AirflowSettings(
        home=home,
        metadata=f"{owner}airflow",
        connection=airflow_connection(pipeline),
        host="0.0.0.0",
        port=8080,
        parallelism=4,
        schedule_from="",
    )
    expected = environment(config, Secrets(home, {n: f"value-of-{n}" for n in SECRET_NAMES}))
    expected = {k: v.replace(str(ROOT), str(CONTAINER)) for k, v in expected.items()}
    # Between containers the API server has its service's name.
    expected["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = "http://api-server:8080/execution/"
    for name in COMMANDS:
        actual = {k: str(v) for k, v in services[name]["environment"].items()}
        shared = {k: v for k, v in actual.items() if k in expected or k.startswith("AIRFLOW")}
        assert shared == expected
        assert json.loads(actual["AIRFLOW_CONN_TIDEMARK_DB"])["login"] == "tidemark_pipeline"
        assert actual["TIDEMARK_DATABASE_URL"] == f"{owner}tidemark"


def test_every_process_of_airflow_runs_with_the_same_arguments(services: dict[str, Any]) -> None:
    commands = {name: services[name]["command"] for name in COMMANDS}
    assert commands == {name: ["airflow", *command] for name, command in COMMANDS.items()}


def test_the_init_service_prepares_before_anything_starts(services: dict[str, Any]) -> None:
    module = services["init"]["command"][-1]
    assert (ROOT / Path(*module.split("."))).with_suffix(".py").exists()
    for name in COMMANDS:
        condition = services[name]["depends_on"]["init"]["condition"]
        assert condition == "service_completed_successfully"


def test_everything_that_stays_up_has_a_health_check(services: dict[str, Any]) -> None:
    lasting = {name for name in services if name != "init"}
    assert lasting == {*COMMANDS, "postgres", "query", "model"}
    assert all(services[name]["healthcheck"]["test"] for name in lasting)


def test_the_query_service_reaches_the_model_and_airflow_the_query_service(
    services: dict[str, Any],
) -> None:
    query, model = services["query"]["environment"], services["model"]["environment"]
    assert query["TIDEMARK_LLM_URL"] == f"http://model:{model['TIDEMARK_MODEL_PORT']}/v1"
    assert query["TIDEMARK_LLM_API_KEY"] == model["TIDEMARK_MODEL_KEY"]
    assert query["TIDEMARK_LLM_MODEL"] == Settings.model_fields["local_model"].default
    address = services["api-server"]["environment"]["TIDEMARK_SEARCH_URL"]
    assert address == f"http://query:{query['TIDEMARK_QUERY_PORT']}"


def test_the_model_knows_no_password(services: dict[str, Any]) -> None:
    assert not [name for name in services["model"]["environment"] if "PASSWORD" in name]
    assert "owner0" not in str(services["model"]["environment"])


def test_no_secret_has_a_default(text: str) -> None:
    secret = {"POSTGRES_PASSWORD", "TIDEMARK_LLM_API_KEY"} | {
        f"TIDEMARK_{name.upper()}" for name in SECRET_NAMES
    }
    uses = [match for match in VARIABLE.finditer(text) if match["name"] in secret]
    assert not [match["name"] for match in uses if match["rule"] == ":-"]
    required = {match["name"] for match in uses if match["rule"] == ":?"}
    assert required == {match["name"] for match in uses}


def test_nothing_is_published_beyond_this_machine(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_is_the_locked_airflow() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    locked = re.search(r"(?m)^apache-airflow==(\S+)", lock)
    image = re.search(
        r"(?m)^FROM apache/airflow:(\S+)-python(\S+)$",
        (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8"),
    )
    assert locked is not None
    assert image is not None
    assert image[1] == locked[1]
    assert image[2] in {"3.11", "3.12", "3.13"}


def test_compose_takes_the_file_and_refuses_a_missing_secret(text: str) -> None:
    """Docker judges where it is; elsewhere the rules of interpolation do."""
    lacking = {k: v for k, v in FILLED.items() if k != "TIDEMARK_AIRFLOW_JWT_SECRET"}
    if not _has_compose():
        assert "${" not in interpolated(text, FILLED)
        with pytest.raises(KeyError, match="JWT"):
            interpolated(text, lacking)
        return
    good = _compose_config(FILLED)
    assert good.returncode == 0, good.stderr
    assert set(COMMANDS) <= set(json.loads(good.stdout)["services"])
    bad = _compose_config(lacking)
    assert bad.returncode != 0
    assert "TIDEMARK_AIRFLOW_JWT_SECRET" in bad.stderr


def _has_compose() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    done = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    return done.returncode == 0


def _compose_config(values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TIDEMARK_", "POSTGRES_"))}
    options = ["--env-file", os.devnull, "-f", str(COMPOSE)]
    return subprocess.run(
        ["docker", "compose", *options, "config", "--format", "json"],
        env={**kept, **values},
        capture_output=True,
        text=True,
        check=False,
    )
