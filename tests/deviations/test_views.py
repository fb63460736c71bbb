"""Saved views: filters under a name, kept by one person in one branch, and had back if removed by mistake."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.deviations.actions.views import MOST_VIEWS
from tests.people import ANNA, BOB, CHARLIE, COORDINATOR, MATS

Of = Callable[..., TestClient]
pytestmark = pytest.mark.usefixtures("blekinge")


def save(client: TestClient, name: str, query: str = "direction=in&state=sent") -> str:
    answer = client.post("/deviations/views", data={"name": name, "query": query})
    assert answer.status_code == 303
    return answer.headers["location"]


def views(client: TestClient, address: str = "/deviations") -> list[tuple[str, str]]:
    page = client.get(address).text
    nav = page.partition('aria-label="Dina vyer"')[2].partition("</nav>")[0]
    return [
        (name, href.replace("&amp;", "&"))
        for href, name in re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)', nav)
    ]


def the_id(superuser: Engine, name: str) -> int:
    with superuser.connect() as connection:
        return connection.scalars(text("select id from saved_views where name = :name"), {"name": name}).one()


def test_a_view_is_saved_and_stands_on_the_list_and_the_start_page(client_of: Of) -> None:
    mats = client_of(MATS)
    assert save(mats, "Nytt till oss") == "/deviations?direction=in&state=sent"
    assert views(mats) == [("Nytt till oss", "/deviations?direction=in&state=sent")]
    assert 'href="/deviations?direction=in&amp;state=sent">Nytt till oss' in mats.get("/").text


def test_a_view_holds_only_filters(client_of: Of) -> None:
    mats = client_of(MATS)
    save(mats, "Smal", "state=sent&q=hemligt&next=//evil.example&late=true")
    assert views(mats) == [("Smal", "/deviations?state=sent&late=true")]


@pytest.mark.parametrize("who", [ANNA, BOB, CHARLIE])
def test_nobody_else_sees_or_touches_it(client_of: Of, superuser: Engine, who: str) -> None:
    save(client_of(MATS), "Min")
    view, other = the_id(superuser, "Min"), client_of(who)
    assert views(other) == []
    for verb in ("rename", "remove", "restore"):
        assert other.post(f"/deviations/views/{view}/{verb}", data={"name": "X"}).status_code == 404
    assert views(client_of(MATS)) == [("Min", "/deviations?direction=in&state=sent")]


def test_it_is_renamed_removed_and_had_back(client_of: Of, superuser: Engine) -> None:
    mats = client_of(MATS)
    save(mats, "Ett")
    view = the_id(superuser, "Ett")
    assert mats.post(f"/deviations/views/{view}/rename", data={"name": "Två"}).status_code == 303
    assert [name for name, _href in views(mats)] == ["Två"]
    assert mats.post(f"/deviations/views/{view}/remove").status_code == 303
    page = mats.get("/deviations").text
    assert (views(mats), "Vyn Två är borttagen." in page) == ([], True)
    assert mats.post(f"/deviations/views/{view}/restore").status_code == 303
    assert [name for name, _href in views(mats)] == ["Två"]
    assert "är borttagen" not in mats.get("/deviations").text


def test_a_view_that_is_had_back_does_not_clash_with_a_new_one(client_of: Of, superuser: Engine) -> None:
    mats = client_of(MATS)
    save(mats, "Ett")
    save(mats, "Två", "state=closed")
    view = the_id(superuser, "Ett")
    mats.post(f"/deviations/views/{view}/remove")
    mats.post(f"/deviations/views/{the_id(superuser, 'Två')}/rename", data={"name": "Ett"})
    mats.post(f"/deviations/views/{view}/restore")
    assert [name for name, _href in views(mats)] == ["Ett (åter)", "Ett"]


def test_a_new_view_ends_the_offer_to_have_the_old_one_back(client_of: Of, superuser: Engine) -> None:
    mats = client_of(MATS)
    save(mats, "Ett")
    view = the_id(superuser, "Ett")
    mats.post(f"/deviations/views/{view}/remove")
    save(mats, "Två")
    assert "är borttagen" not in mats.get("/deviations").text
    assert mats.post(f"/deviations/views/{view}/restore").status_code == 404


def test_the_same_name_again_means_the_new_filters(client_of: Of) -> None:
    mats = client_of(MATS)
    save(mats, "Ett")
    save(mats, "Ett", "state=closed")
    assert views(mats) == [("Ett", "/deviations?state=closed")]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Fyll i det här fältet."),
        ("x" * 61, "Texten är för lång: högst 60 tecken."),
        ("Om 19121212-1212", "Texten innehåller ett personnummer"),
    ],
)
def test_a_name_that_will_not_do_is_told_and_kept_in_the_field(
    client_of: Of, name: str, sentence: str
) -> None:
    answer = client_of(MATS).post("/deviations/views", data={"name": name, "query": "state=sent"})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'name="query" value="state=sent"' in answer.text


def test_two_views_cannot_have_one_name_and_there_is_an_end_to_them(client_of: Of, superuser: Engine) -> None:
    mats = client_of(MATS)
    for n in range(MOST_VIEWS):
        save(mats, f"Vy {n}", f"state=sent&sent_from=2026-01-{n + 1:02}")
    full = mats.post("/deviations/views", data={"name": "En till", "query": "state=sent"})
    assert (full.status_code, "Du har redan 12 vyer." in full.text) == (422, True)
    taken = mats.post(f"/deviations/views/{the_id(superuser, 'Vy 1')}/rename", data={"name": "Vy 2"})
    assert (taken.status_code, "Du har redan en vy med det namnet." in taken.text) == (422, True)


def test_who_opens_no_cases_saves_no_views(client_of: Of) -> None:
    answer = client_of(COORDINATOR).post("/deviations/views", data={"name": "X", "query": ""})
    assert answer.status_code == 403


def test_every_change_is_on_record(client_of: Of, superuser: Engine) -> None:
    mats = client_of(MATS)
    save(mats, "Ett")
    view = the_id(superuser, "Ett")
    for verb in ("rename", "remove", "restore"):
        mats.post(f"/deviations/views/{view}/{verb}", data={"name": "Två"})
    with superuser.connect() as connection:
        rows = connection.execute(
            text("select action, details from audit_log where action ~ 'view' order by id")
        ).all()
    assert rows == [
        (f"deviations.{verb}_view", {"view": view}) for verb in ("save", "rename", "remove", "restore")
    ]
