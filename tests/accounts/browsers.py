"""What a person does at the pages of logging in, and what they then read there."""

import re
from html import unescape

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text

from tests.people import cookie_for

# What the import gives everybody where demo people are allowed.
PASSWORD = "samsvar-demo"


def log_in(client: TestClient, email: str, password: str = PASSWORD, **more: str) -> Response:
    answer: Response = client.post("/login", data={"email": email, "password": password, **more})
    return answer


def enter(client: TestClient, email: str) -> TestClient:
    """As after logging in, without the work that a password is made to cost."""
    name, token = cookie_for(email)
    client.cookies.set(name, token, domain="testserver.local")
    return client


def told(answer: Response) -> list[str]:
    """The sentences of the error summary."""
    summary = re.search(r'id="error-summary".*?</ul>', answer.text, re.DOTALL)
    found = re.findall(r"<a [^>]*>(.*?)</a>", summary.group(), re.DOTALL) if summary else []
    return [unescape(sentence).strip() for sentence in found]


def give_place(superuser: Engine, email: str, scope: str, hsa_id: str, role: str) -> None:
    """An assignment more: a role at that unit or branch, from today."""
    table = {"unit_id": "units", "branch_id": "branches"}[scope]
    with superuser.begin() as connection:
        connection.execute(
            text(
                f"insert into assignments (person_id, role, {scope}, valid_from)"
                f" select p.id, :role, t.id, (now() at time zone 'Europe/Stockholm')::date - 1 from people p, {table} t"
                " where p.email = :email and t.hsa_id = :hsa_id"
            ),
            {"email": email, "hsa_id": hsa_id, "role": role},
        )


def end_assignments(superuser: Engine, email: str) -> None:
    """As of yesterday, whatever the person was is over."""
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update assignments set valid_to = (now() at time zone 'Europe/Stockholm')::date - 2"
                " where person_id = (select id from people where email = :email)"
            ),
            {"email": email},
        )
