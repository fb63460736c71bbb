"""docker-compose.yml: as compose itself reads it where it is installed, and by our own reading everywhere."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from backend.settings import Settings

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"
SECRETS = {
    "POSTGRES_PASSWORD": "super",
    "SAMSVAR_WEB_PASSWORD": "web",
    "SAMSVAR_SECRET_KEY": "key",
    "SAMSVAR_BASE_URL": "https://samsvar.example.se",
    "SAMSVAR_MAIL_FROM": "samsvar@example.se",
    "SAMSVAR_SMTP_URL": "smtp://mail.example.se:587",
}
COMPOSE = shutil.which("docker-compose")


def by_compose(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    assert COMPOSE is not None
    environment = {"PATH": os.environ["PATH"], **settings}
    with tempfile.NamedTemporaryFile() as empty:  # in place of a developer's own .env
        command = [COMPOSE, "--file", str(FILE), "--env-file", empty.name, "config"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def by_ourselves(settings: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        return (
            settings[name] if default is None or default.startswith("?") else settings.get(name, default[1:])
        )

    text = FILE.read_text().replace("$$", "\0")
    return re.sub(r"\$\{(\w+):?([?-][^}]*)?\}", value, text).replace("\0", "$")


@pytest.fixture(params=["compose", "ourselves"])
def services(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param == "ourselves":
        text = by_ourselves(SECRETS)
    elif COMPOSE is None:
        pytest.skip("docker-compose is not installed; the file is checked by our own reading only")
    else:
        done = by_compose(SECRETS)
        assert (done.stderr, done.returncode) == ("", 0)
        text = done.stdout
    read: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return read["services"]


def test_the_services_and_what_each_waits_for(services: dict[str, Any]) -> None:
    waits = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }
    migrated = {"migrate": "service_completed_successfully", "postgres": "service_healthy"}
    assert waits == {
        "postgres": {},
        "redis": {},
        "migrate": {"postgres": "service_healthy"},
        "web": migrated,  # not redis: filing goes on without it
        "worker": {**migrated, "redis": "service_healthy"},
        "beat": {**migrated, "redis": "service_healthy"},
    }


def test_each_of_ours_runs_its_command(services: dict[str, Any]) -> None:
    ours = {"migrate": "migrate", "web": "serve", "worker": "worker", "beat": "beat"}
    assert {name: services[name]["command"] for name in ours} == {
        name: ["samsvar", command] for name, command in ours.items()
    }
    assert {services[name]["image"] for name in ours} == {"samsvar:latest"}


def test_only_the_migration_knows_the_superuser(services: dict[str, Any]) -> None:
    users = {
        name: service["environment"]["DATABASE_URL"].partition("://")[2].partition("@")[0]
        for name, service in services.items()
        if "DATABASE_URL" in service.get("environment", {})
    }
    web = "samsvar_web:web"
    assert users == {"migrate": "postgres:super", "web": web, "worker": web, "beat": web}
    knowing = [name for name, service in services.items() if "super" in str(service.get("environment"))]
    assert sorted(knowing) == ["migrate", "postgres"]


def test_every_container_is_read_only_and_without_privileges(services: dict[str, Any]) -> None:
    for name, service in services.items():
        found = (service.get("read_only"), service.get("cap_drop"), service.get("security_opt"))
        assert (name, *found) == (name, True, ["ALL"], ["no-new-privileges:true"])
    assert (services["postgres"]["user"], services["redis"]["user"]) == ("postgres", "redis")
    last_stage = (ROOT / "backend/Dockerfile").read_text().rpartition("FROM ")[2]
    assert re.findall(r"^USER (.*)$", last_stage, re.MULTILINE) == ["10001"]


def test_the_broker_keeps_what_it_accepted(services: dict[str, Any]) -> None:
    command = services["redis"]["command"]
    words = command.split() if isinstance(command, str) else command
    assert [words[words.index(option) + 1] for option in ("--appendonly", "--maxmemory-policy")] == [
        "yes",
        "noeviction",
    ]


def test_only_web_is_reached_from_outside_and_only_from_this_machine(services: dict[str, Any]) -> None:
    assert {
        name: [port.removesuffix("/tcp") for port in service["ports"]]
        for name, service in services.items()
        if "ports" in service
    } == {"web": ["127.0.0.1:8000:8000"]}
    outward = sorted(name for name, service in services.items() if "outside" in service["networks"])
    assert outward == ["web", "worker"]


def test_every_setting_given_is_one_that_the_product_reads(services: dict[str, Any]) -> None:
    known = {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}
    ours = ("migrate", "web", "worker", "beat")
    assert {setting for name in ours for setting in services[name]["environment"]} - known == set()


def test_whoever_can_fail_silently_has_a_health_check(services: dict[str, Any]) -> None:
    checked = sorted(name for name, service in services.items() if "healthcheck" in service)
    assert checked == ["postgres", "redis", "web", "worker"]


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_no_secret_has_a_default(missing: str) -> None:
    rest = {name: value for name, value in SECRETS.items() if name != missing}
    with pytest.raises(KeyError, match=missing):
        by_ourselves(rest)
    if COMPOSE is not None:
        done = by_compose(rest)
        assert (done.returncode, "Missing mandatory value" in done.stderr) == (1, True)
