"""The second lock: what PostgreSQL lets through when the code forgets to ask. Proved by breaking it."""

from contextlib import closing

import pytest
from sqlalchemy import Connection, Engine, text

from tests.isolation.attack import KEYS, World, breaches

# Tables that hold nothing of a case, so that no row of theirs belongs to one circle only.
OUTSIDE = {
    "alembic_version": "the schema's version",
    "agreements": "what the whole county has agreed",
    "assignments": "the directory",
    "branches": "the directory",
    "calendar_checks": "that a county's coordinator has looked at its days off",
    "categories": "what the whole county has agreed",
    "caught_mails": "only where there is no mail server, in demo and test: number and link",
    "counties": "the directory",
    "groups": "the directory",
    "login_failures": "keyed hashes and times, before anybody is known",
    "notification_choices": "at which hour a person wants letters",
    "one_time_links": "salts and hashes, read before anybody is known; no page shows a row",
    "organisations": "the directory",
    "outbox": "ids only, read before a job knows whose it is",
    "passwords": "read before anybody is known; no page shows a row",
    "people": "the directory",
    "routing_rules": "where a branch wants cases to go, which whoever reports to it must read",
    "sessions": "read before anybody is known; no page shows a row",
    "snapshots": "handling figures between organisations, for everybody signed in",
    "steering_documents": "what the whole county has agreed",
    "substitutes": "the directory",
    "unit_changes": "the directory, as it was",
    "units": "the directory",
}


def test_every_branch_sees_and_does_just_what_is_theirs(world: tuple[Connection, World]) -> None:
    assert list(breaches(*world)) == []


def test_the_world_holds_rows_of_every_kind(world: tuple[Connection, World]) -> None:
    """A table without a row would let every mutant of its policies live."""
    assert {table for table in KEYS if not world[1].rows[table]} == set()


def test_every_policy_that_is_dropped_or_opened_is_missed(world: tuple[Connection, World]) -> None:
    """The proof that the attack above would notice: 100 % of the mutants must be caught."""
    connection, found = world
    survivors, tried = [], 0
    for name, mutation, writes in _mutants(connection):
        nested = connection.begin_nested()
        connection.execute(text(mutation))
        with closing(breaches(connection, found, writes_first=writes)) as noticed:
            if next(noticed, None) is None:
                survivors.append(name)
        nested.rollback()
        tried += 1
    print(f"mutants caught: {tried - len(survivors)} of {tried}")
    assert survivors == [], survivors
    assert tried >= 190


def _mutants(connection: Connection) -> list[tuple[str, str, bool]]:
    """What is broken, how, and whether writing shows it rather than reading."""
    policies = connection.execute(
        text(
            "select tablename, policyname, cmd, qual, with_check from pg_policies where schemaname = 'public'"
            " order by 1, 2"
        )
    ).all()
    mutants = []
    for table, policy, cmd, qual, check in policies:
        writes = cmd in ("INSERT", "UPDATE", "DELETE")
        mutants.append((f"drop {policy} on {table}", f"drop policy {policy} on {table}", writes))
        for what, clause, old in (("open", "using", qual), ("unchecked", "with check", check)):
            if old not in (None, "true"):
                alter = f"alter policy {policy} on {table} {clause} (true)"
                mutants.append((f"{what} {policy} on {table}", alter, writes))
    for table in sorted({row[0] for row in policies}):
        mutants.append((f"no force on {table}", f"alter table {table} no force row level security", False))
        mutants.append((f"no security on {table}", f"alter table {table} disable row level security", False))
    return mutants


def guard_findings(connection: Connection) -> list[str]:
    """What the catalogue itself says is wrong with the walls."""
    findings = []
    tables = connection.execute(
        text(
            "select relname, relrowsecurity and relforcerowsecurity, pg_get_userbyid(relowner) from pg_class"
            " where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
        )
    ).all()
    for table, forced, owner in tables:
        if not forced and table not in OUTSIDE:
            findings.append(f"{table} is neither forced nor on the list")
        if forced and table in OUTSIDE:
            findings.append(f"{table} is on the list, and forced")
        if owner != "samsvar_owner":
            findings.append(f"{table} is owned by {owner}")
    findings += [
        f"{gone} is on the list, and not there" for gone in OUTSIDE.keys() - {row[0] for row in tables}
    ]
    for table, policy, roles, qual, check in connection.execute(
        text(
            "select tablename, policyname, roles::text, qual, with_check from pg_policies where schemaname = 'public'"
        )
    ):
        if "samsvar_app" in roles and "true" in (qual, check):
            findings.append(f"{policy} on {table} lets everybody through")
    for role, unsafe in connection.execute(
        text(
            "select rolname, rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname like 'samsvar%'"
        )
    ):
        if unsafe:
            findings.append(f"{role} can go around the walls")
    for member, role in connection.execute(
        text(
            "select pg_get_userbyid(member), pg_get_userbyid(roleid) from pg_auth_members"
            " where pg_get_userbyid(member) like 'samsvar%'"
        )
    ):
        if role not in ("samsvar_app", "samsvar_counter"):
            findings.append(f"{member} may become {role}")
    findings += [
        f"{name} may {right} {table}"
        for name, table, right in connection.execute(
            text(
                "select grantee, table_name, privilege_type from information_schema.role_table_grants"
                " where grantee like 'samsvar%' and grantee <> 'samsvar_owner' and table_schema = 'public'"
                " and privilege_type in ('TRUNCATE', 'TRIGGER', 'REFERENCES')"
            )
        )
    ]
    findings += [
        f"the view {view} does not run as its reader"
        for view in connection.scalars(
            text(
                "select relname from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace"
                " and coalesce(array_to_string(reloptions, ','), '') not like '%security_invoker=true%'"
            )
        )
    ]
    return findings


def test_the_catalogue_holds_what_the_walls_promise(database: str, superuser: Engine) -> None:
    with superuser.connect() as connection:
        assert guard_findings(connection) == []


@pytest.mark.parametrize(
    "careless",
    [
        "create table diaries (id int)",
        "alter table answers no force row level security",
        "create view open_cases as select * from deviations",
        "create materialized view counted as select count(*) from deviations",
        "grant truncate on events to samsvar_app",
        "grant samsvar_owner to samsvar_web",
        "create policy wide on events for select to samsvar_app using (true)",
        "alter table events owner to postgres",
    ],
)
def test_the_catalogue_guard_notices_a_careless_migration(
    database: str, superuser: Engine, careless: str
) -> None:
    with superuser.connect() as connection:
        connection.execute(text(careless))
        assert len(guard_findings(connection)) >= 1
        connection.rollback()
