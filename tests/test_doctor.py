"""`samsvar doctor`: what is wrong is found, said with what to do, and told to scripts by the exit code."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend import doctor
from backend.core import bell, db
from backend.settings import settings
from tests.conftest import admin_url, web_url

ROOT = Path(__file__).resolve().parents[1]
Standing = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> Standing:
    """`with standing(REDIS_URL="…")`: as a process begun with that environment."""

    @contextmanager
    def among(**environment: str) -> Iterator[None]:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            _forget()
            yield
        _forget()

    return among


def _forget() -> None:
    settings.cache_clear()
    bell.broker_url.cache_clear()


def found() -> dict[str, str]:
    """Each part that is not well, and how bad that is."""
    return {finding.part: finding.level for finding in doctor.findings() if finding.level != "ok"}


def run(url: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "backend", "doctor"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "SAMSVAR_ENV": "test", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_sound_installation_has_nothing_to_mend(database: str) -> None:
    assert {finding.part: finding.level for finding in doctor.findings()} == dict.fromkeys(
        ("Inställningar", "Databas", "Version", "Roller", "Radskydd", "Klocka", "Kö", "Mejl"), "ok"
    )


def test_a_sound_installation_exits_with_0_and_a_warning_does_not_change_that(database: str) -> None:
    code, said = run(web_url(database), REDIS_URL="redis://127.0.0.1:1/0")
    assert code == 0, said
    assert "varning" in said
    assert "Kontrollera REDIS_URL" in said


def test_a_database_that_was_never_migrated_exits_with_1_and_says_how(
    database: str, superuser: Engine
) -> None:
    with superuser.begin() as connection:
        connection.execute(text("drop table alembic_version"))
    code, said = run(web_url(database))
    assert code == 1, said
    assert "Kör: samsvar migrate" in said


def test_a_wall_that_is_down_is_an_error(database: str, superuser: Engine) -> None:
    with superuser.begin() as connection:
        connection.execute(text("alter table answers no force row level security"))
        connection.execute(text("alter table drafts disable row level security"))
    assert found() == {"Radskydd": "error"}
    advice = next(finding.advice for finding in doctor.findings() if finding.part == "Radskydd")
    assert "answers" in advice
    assert "drafts" in advice


def test_another_version_is_an_error(database: str, superuser: Engine) -> None:
    with superuser.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    assert found() == {"Version": "error"}


def test_a_login_that_goes_around_the_walls_is_a_warning(database: str) -> None:
    db.use(admin_url(database))
    assert found() == {"Roller": "warning"}
    db.engine().dispose()
    db.use(web_url(database))


def test_a_database_that_is_away_is_an_error(database: str) -> None:
    db.use("postgresql://samsvar_web@127.0.0.1:1/nowhere")
    assert found() == {"Databas": "error"}
    db.use(web_url(database))


def test_settings_unfit_for_production_are_errors(database: str, standing: Standing) -> None:
    with standing(SAMSVAR_ENV="production", SAMSVAR_SECRET_KEY="short", SAMSVAR_SMTP_URL=""):
        assert found() == {"Inställningar": "error", "Mejl": "error"}
    with standing(
        SAMSVAR_ENV="production",
        SAMSVAR_SECRET_KEY="x" * 32,
        SAMSVAR_BASE_URL="https://samsvar.example",
        SAMSVAR_SMTP_URL="smtp://localhost",
    ):
        assert found() == {}


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "0"), ("PORT", "åtta"), ("SAMSVAR_ENV", "tset"), ("SAMSVAR_TICK", "-1")]
)
def test_a_setting_that_will_not_do_is_named(name: str, value: str) -> None:
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", name: value}
    program = [sys.executable, "-m", "backend", "doctor"]
    ended = subprocess.run(
        program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[0] == f"{name}: '{value}' går inte att använda."
