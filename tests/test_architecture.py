"""The rules of the house, held as tests. Each says what it guards, and names the place that breaks it."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from jinja2 import nodes
from jinja2.lexer import TOKEN_DATA

from backend.accounts.identity import current
from backend.core.web import draw
from backend.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
CODE = [*ROOT.glob("backend/**/*.py"), *ROOT.glob("workers/**/*.py")]
TEMPLATES = ROOT / "frontend" / "templates"
PUBLIC = {
    "/login",
    "/login/assignment",
    "/login/link/{token}",
    "/login/reset",
    "/logout",
    "/help",
    "/accessibility",
    "/healthz",
    "/readyz",
    "/demo/post",
    # A calendar program cannot log in; the address is the secret.
    "/calendar/{token}.ics",
}
FORBIDDEN_NAMES = {"service", "services", "repository", "manager", "utils", "helpers", "common", "constants"}


def test_import_contracts_hold() -> None:
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_nobody_commits_but_the_unit_of_work() -> None:
    assert _calls("commit") == {"backend/core/db.py"}


def test_nobody_publishes_a_job_but_the_bell_and_the_tick() -> None:
    assert _calls("send_task", "delay", "apply_async") == {"backend/core/bell.py", "workers/app.py"}


def test_every_read_of_a_case_begins_with_who_asks() -> None:
    """`select(Deviation…)` outside the rooms that begin with `visible_to`, count, or import is a hole in the first lock."""
    allowed = {
        "backend/deviations/queries/calendars.py",
        "backend/deviations/queries/case.py",
        "backend/deviations/queries/desk.py",
        "backend/deviations/queries/lists.py",
        "backend/deviations/queries/streaks.py",
        "backend/deviations/queries/team.py",
        "backend/deviations/queries/turns.py",
        "backend/deviations/queries/register.py",
        # The look each morning over all that waits, and the demo's letter box, where nobody is real.
        "backend/deviations/actions/looking_after.py",
        "backend/pages/post.py",
        "backend/deviations/rehearsal.py",
        "backend/deviations/finding.py",
        "backend/statistics/queries.py",
        "backend/statistics/definitions.py",
        "backend/summaries/queries.py",
        "backend/summaries/actions.py",
        "backend/demo/county.py",
    }
    found = {
        _name(file)
        for file in CODE
        if re.search(r"select\(\s*Deviation", file.read_text("utf-8")) and "exchange" not in file.parts
    }
    assert found - allowed == set()


def test_files_stay_within_four_hundred_lines() -> None:
    ours = [
        *CODE,
        *ROOT.glob("tests/**/*.py"),
        *ROOT.glob("alembic/**/*.py"),
        *ROOT.glob("alembic/**/*.sql"),
        *TEMPLATES.glob("**/*.html"),
        *(ROOT / "frontend" / "static").glob("*.*"),
    ]
    assert {_name(file): n for file in ours if (n := len(file.read_text("utf-8").splitlines())) > 400} == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [
        _name(file) for file in CODE if FORBIDDEN_NAMES & {part.removesuffix(".py") for part in file.parts}
    ] == []


def test_alembic_folder_does_not_shadow_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_every_route_is_guarded_or_on_the_public_list(app: FastAPI) -> None:
    routes = list(_routes(app))
    assert len(routes) >= 25
    unguarded = {route.path for route in routes if not _asks_who(route)}
    assert unguarded == PUBLIC


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    def walk(routes: object) -> Iterator[APIRoute]:
        for route in routes:  # type: ignore[attr-defined]
            if isinstance(route, APIRoute):
                yield route
            elif hasattr(route, "original_router"):
                yield from walk(route.original_router.routes)
            elif hasattr(route, "routes") and route.routes:
                yield from walk(route.routes)

    yield from walk(app.routes)


def _asks_who(route: APIRoute) -> bool:
    return any(dependency.call is current for dependency in route.dependant.dependencies)


def test_every_page_reads_and_writes_in_a_unit_of_work_that_ends_before_the_answer(app: FastAPI) -> None:
    """With FastAPI's default scope a person is told "saved" before the commit, and a failing one loses the report."""
    for route in _routes(app):
        for dependency in route.dependant.dependencies:
            if dependency.call is not None and dependency.call.__name__ == "_db":
                assert dependency.scope == "function", route.path


def test_every_job_that_is_owed_has_a_worker() -> None:
    from workers.app import celery

    celery.loader.import_default_modules()
    owed = {f"notifications.{kind}" for kind in _words_given_to("tell", 2)} | _words_given_to("owe", 1)
    assert len(owed) >= 15
    assert owed - set(celery.tasks) == set()


def test_no_job_is_planned_far_ahead_in_the_broker() -> None:
    """Redis is a doorbell: a countdown or ETA longer than its visibility time-out is delivered again and again."""
    assert [_name(file) for file in CODE if re.search(r"\b(eta|countdown)=", file.read_text("utf-8"))] == []


def test_every_setting_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    names = {str(field.validation_alias) for field in Settings.model_fields.values()}
    assert {name for name in names if f"`{name}`" not in readme} == set()


def _template_names() -> list[str]:
    return sorted(str(file.relative_to(TEMPLATES)) for file in TEMPLATES.glob("**/*.html"))


@pytest.mark.parametrize("name", _template_names())
def test_template_says_nothing_that_cannot_be_translated(name: str) -> None:
    """Letters outside tags must come through `_()`; so must those in attributes that people read."""
    env = draw.templates()
    source = (TEMPLATES / name).read_text("utf-8")
    data = "\0".join(value for _line, kind, value in env.lex(source) if kind == TOKEN_DATA)
    words = [
        word
        for word in re.findall(r"[A-Za-zÅÄÖåäö@.]{2,}", _outside_tags(data))
        if word not in WORDS_AS_THEY_ARE
    ]
    assert words == []


WORDS_AS_THEY_ARE = {
    "Samsvar",
    "Enter",  # what stands on the key
    "hemsjukvard@solvesborg.example",
    "avd",
    "@region.example",
    "mas@solvesborg.example",
    "ifo@solvesborg.example",
    "samordnare@lan.example",
}


def _outside_tags(data: str) -> str:
    """The text between tags, where expressions (marked by NUL) may stand in the middle of a tag."""
    outside, inside = [], False
    for sign in data:
        if sign == "<":
            inside = True
        elif sign == ">":
            inside = False
            outside.append(" ")
        elif not inside:
            outside.append(" " if sign == "\0" else sign)
    return "".join(outside)


@pytest.mark.parametrize("name", _template_names())
def test_template_keeps_to_the_rules(name: str) -> None:
    source = (TEMPLATES / name).read_text("utf-8")
    assert re.findall(r"\|\s*safe\b|<style|\bstyle=|\bon[a-z]+=\"|hx-on|js:|autoescape false", source) == []
    tree = draw.templates().parse(source)
    assert {node.name for node in tree.find_all(nodes.Filter)} - set(draw.templates().filters) == set()


def test_only_the_chart_is_handed_over_as_markup() -> None:
    assert _calls("Markup") <= {"backend/statistics/charts.py"}


def test_no_page_reaches_another_host() -> None:
    files = [*TEMPLATES.glob("**/*.html"), *(ROOT / "frontend" / "static").glob("*.*")]
    assert {
        _name(file): found
        for file in files
        if (found := re.findall(r"https?://(?!www\.w3\.org/)[^\s\"')]+", file.read_text("utf-8")))
    } == {}


def test_public_functions_of_the_trade_say_their_rule() -> None:
    """Actions, rules and pure calculation: a name alone does not tell a rule of the trade."""
    import backend.deviations.actions as actions
    from backend.core import screening
    from backend.deviations import clocks
    from backend.statistics import rates

    silent = [
        f"{module.__name__}.{name}"
        for module in (actions, clocks, rates, screening)
        for name, thing in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and thing.__module__.startswith(module.__name__) and not thing.__doc__
    ]
    assert silent == []


def _calls(*names: str) -> set[str]:
    """The files in which something of these names is called."""
    found = set()
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if called in names:
                    found.add(_name(file))
    return found


def _words_given_to(function: str, place: int) -> set[str]:
    """The plain words that stand as that argument wherever the function is called."""
    return {
        argument.value
        for file in CODE
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == function
        and len(node.args) > place
        and isinstance(argument := node.args[place], ast.Constant)
        and isinstance(argument.value, str)
    }


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()
