"""People and assignments at the administrator's pages: one's own organisation, and an end that bites at once."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.access import Role
from backend.core import clock, db
from backend.core.errors import InvalidError
from backend.deviations import actions as deviations
from backend.deviations import queries as cases
from backend.deviations.forms import InviteForm
from backend.directory import actions, queries
from tests.accounts.browsers import give_place
from tests.directory.offices import HOME, OWN, REGIONS_ADMINISTRATOR, one, person_id, recorded, rows, told
from tests.people import ADMINISTRATOR, ALICE, ANNA, BOB, CHARLIE, IDA, MATS, acting, filed

Browsers = Callable[..., TestClient]

NEW = {
    "email": "ny@solvesborg.example",
    "title": "Sjuksköterska, Hemsjukvården Sölvesborg",
    "role": "handler",
    "place": f"unit:{HOME}",
}


def listed(page: str) -> list[str]:
    return re.findall(r'class="note">([^<]*@[^<]*)<', page)


def posts(superuser: Engine, email: str) -> list[tuple[object, ...]]:
    """What a person's assignments are, with how many days from now each ends."""
    return rows(
        superuser,
        "select role, coalesce(u.hsa_id, b.hsa_id, o.hsa_id), valid_to - (now() at time zone 'Europe/Stockholm')::date from assignments a"
        " join people p on p.id = a.person_id left join units u on u.id = a.unit_id"
        " left join branches b on b.id = a.branch_id left join organisations o on o.id = a.organisation_id"
        " where email = :e order by a.valid_from, role",
        e=email,
    )


def test_the_list_holds_the_organisations_people_in_swedish_order_and_finds_them(
    blekinge: str, client_of: Browsers
) -> None:
    client = client_of(ADMINISTRATOR)
    everybody = listed(client.get("/directory/people").text)
    assert len(everybody) == 9
    assert {address.partition("@")[2] for address in everybody} == {"solvesborg.example"}
    assert everybody[0] == ADMINISTRATOR
    assert listed(client.get("/directory/people?q=sköterska").text) == [
        ANNA,
        "skolskoterska@solvesborg.example",
        ALICE,
    ]
    assert listed(client.get("/directory/people?q=ifo@").text) == [IDA]
    assert listed(client.get("/directory/people?q=%25").text) == []
    assert listed(client.get("/directory/people?ended=true").text) == []


def test_another_organisations_person_is_not_there(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client, bob = client_of(ADMINISTRATOR), person_id(superuser, BOB)
    post = one(superuser, "select min(id) from assignments where person_id = :p", p=bob)
    assert client.get(f"/directory/people/{bob}").status_code == 404
    assert client.get("/directory/people/999999").status_code == 404
    assert client.get("/directory/people/x").status_code == 422
    forms = {
        "change": {"email": BOB, "title": "Vikarie"},
        "end": {},
        "reopen": {},
        "invite": {},
        "assignments": {"role": "handler", "place": f"unit:{HOME}"},
        "substitutes": {"branch": f"{OWN}-V000"},
    }
    for verb, form in forms.items():
        assert client.post(f"/directory/people/{bob}/{verb}", data=form).status_code == 404, verb
    assert client.post(f"/directory/assignments/{post}/end").status_code == 404
    assert client.post("/directory/assignments/999999/end").status_code == 404
    assert recorded(superuser) == []
    assert posts(superuser, BOB) == [
        ("handler", "SE2321000081-S011", None),
        ("reporter", "SE2321000081-S011", None),
    ]


def test_someone_new_gets_a_first_assignment_and_an_invitation(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client = client_of(ADMINISTRATOR)
    answer = client.post(
        "/directory/people", data={**NEW, "email": " Ny@Solvesborg.example", "invite": "true"}
    )
    new = person_id(superuser, NEW["email"])
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/directory/people/{new}?done=invited")
    assert "Inbjudan är på väg" in client.get(answer.headers["Location"]).text
    assert posts(superuser, NEW["email"]) == [("handler", HOME, None)]
    assert rows(superuser, "select kind, person_id from outbox") == [("accounts.invitation", new)]
    assert recorded(superuser, "%")[1:] == [
        "accounts.log_in",
        "directory.add_person",
        "directory.add_assignment",
        "accounts.invite",
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"email": "inte en adress"}, "Skriv adressen som namn@organisation.se, utan å, ä och ö."),
        ({"email": "åsa@solvesborg.example"}, "Skriv adressen som namn@organisation.se, utan å, ä och ö."),
        ({"email": ANNA}, "Personen finns redan. Sök på adressen och ge ett nytt uppdrag."),
        ({"title": ""}, "Yrke och arbetsplats: fyll i det här fältet."),
        ({"role": "coordinator"}, "Välj ett av alternativen."),
        ({"role": "co_investigator"}, "Välj ett av alternativen."),
        ({"role": "safety"}, "Rollen gäller en hel verksamhet. Välj vilken."),
        ({"place": "unit:SE2321000081-S011"}, "Platsen finns inte hos er. Välj en annan."),
        (
            {"role": "safety", "place": "branch:SE2321000081-B000"},
            "Platsen finns inte hos er. Välj en annan.",
        ),
        (
            {"valid_from": "2030-02-01", "valid_to": "2030-01-01"},
            "Sista dagen ligger före den första. Ändra den ena.",
        ),
    ],
)
def test_a_faulty_person_is_told_so_and_nothing_is_added(
    blekinge: str, client_of: Browsers, superuser: Engine, changed: dict[str, str], sentence: str
) -> None:
    before = one(superuser, "select (select count(*) from people) + (select count(*) from assignments)")
    answer = client_of(ADMINISTRATOR).post("/directory/people", data={**NEW, **changed})
    assert (answer.status_code, told(answer)) == (422, [sentence])
    assert f'value="{changed.get("email", NEW["email"])}"' in answer.text
    assert (
        one(superuser, "select (select count(*) from people) + (select count(*) from assignments)") == before
    )


def test_what_is_missing_is_told_in_the_order_of_the_page(blekinge: str, client_of: Browsers) -> None:
    answer = client_of(ADMINISTRATOR).post("/directory/people", data={})
    named = [sentence.partition(":")[0] for sentence in told(answer)]
    assert named == ["E-postadress", "Yrke och arbetsplats", "Uppdrag", "Plats"]


def test_an_ended_assignment_closes_what_it_opened_while_the_person_is_reading(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    number = filed(ANNA)
    client, anna = client_of(ADMINISTRATOR), client_of(ANNA)
    assert anna.get(f"/deviations/{number}").status_code == 200
    ids = [
        row[0]
        for row in rows(
            superuser,
            "select a.id from assignments a join people p on p.id = person_id where email = :e order by role",
            e=ANNA,
        )
    ]
    page = client.get(f"/directory/people/{person_id(superuser, ANNA)}").text
    assert page.count("Ingen annan utreder på enheten") == 1  # the handler's, not the reporter's
    assert client.post(f"/directory/assignments/{ids[0]}/end").status_code == 303
    assert anna.get("/figures").status_code == 403  # the reporter's place is left
    assert anna.get("/deviations").status_code == 200
    assert client.post(f"/directory/assignments/{ids[1]}/end").status_code == 303
    assert anna.get(f"/deviations/{number}").headers["Location"].startswith("/login?")
    assert recorded(superuser) == ["directory.end_assignment"] * 2


def test_one_who_has_another_place_is_asked_to_choose_it(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    give_place(superuser, ALICE, "unit_id", "SE2120000829-V010", "reporter")
    alice, client = client_of(ALICE, f"branch:{OWN}-V000"), client_of(ADMINISTRATOR)
    post = one(
        superuser,
        "select a.id from assignments a join people p on p.id = person_id where email = :e order by a.id limit 1",
        e=ALICE,
    )
    assert alice.get("/").status_code == 200
    client.post(f"/directory/assignments/{post}/end")
    assert alice.get("/deviations").headers["Location"] == "/login/assignment?next=%2Fdeviations"


def test_an_ended_person_is_out_at_once_and_can_come_back(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client, mats, who = client_of(ADMINISTRATOR), client_of(MATS), person_id(superuser, MATS)
    assert mats.get("/").status_code == 200
    assert client.post(f"/directory/people/{who}/end").status_code == 303
    assert mats.get("/").headers["Location"] == "/login"
    assert listed(client.get("/directory/people?ended=true").text) == [MATS]
    assert client.post(f"/directory/people/{who}/reopen").status_code == 303
    assert client_of(MATS).get("/").status_code == 200
    own = person_id(superuser, ADMINISTRATOR)
    assert client.post(f"/directory/people/{own}/end").status_code == 409


def test_who_works_elsewhere_too_is_not_one_organisations_to_change(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client, charlie = client_of(ADMINISTRATOR), person_id(superuser, CHARLIE)
    answer = client.post("/directory/people", data={**NEW, "email": CHARLIE, "title": "Annan titel"})
    assert answer.status_code == 303
    assert one(superuser, "select title from people where id = :p", p=charlie) != "Annan titel"
    page = client.get(f"/directory/people/{charlie}")
    assert "Personen arbetar också i en annan organisation." in page.text
    assert "Karlskrona-" not in page.text
    assert [row[1] for row in posts(superuser, CHARLIE)].count(HOME) == 1
    form = {"email": CHARLIE, "title": "Annan titel"}
    assert client.post(f"/directory/people/{charlie}/change", data=form).status_code == 403
    assert client.post(f"/directory/people/{charlie}/end").status_code == 403
    # The assignment here is ours to end; then they are theirs alone again.
    mine = one(superuser, "select max(id) from assignments where person_id = :p", p=charlie)
    assert client.post(f"/directory/assignments/{mine}/end").status_code == 303
    assert client.get(f"/directory/people/{charlie}").status_code == 404


def test_title_and_address_can_be_changed_but_not_to_anothers(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client, who = client_of(ADMINISTRATOR), person_id(superuser, ANNA)
    form = {"email": "anna@solvesborg.example", "title": "Distriktssköterska, Hemsjukvården Sölvesborg"}
    assert client.post(f"/directory/people/{who}/change", data=form).status_code == 303
    assert rows(superuser, "select email, title from people where id = :p", p=who) == [tuple(form.values())]
    answer = client.post(f"/directory/people/{who}/change", data={**form, "email": BOB})
    assert (answer.status_code, told(answer)) == (422, ["Adressen används redan av någon. Kontrollera den."])
    assert recorded(superuser) == ["directory.change_person"]


def test_an_administrator_opens_no_case_for_themselves(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client, own = client_of(ADMINISTRATOR), person_id(superuser, ADMINISTRATOR)
    found = {}
    for role, place in (
        ("safety", f"branch:{OWN}-V000"),
        ("registrar", f"branch:{OWN}-V000"),
        ("handler", f"unit:{HOME}"),
        ("reporter", f"unit:{HOME}"),
        ("auditor", f"organisation:{OWN}-K"),
    ):
        form = {"role": role, "place": place}
        found[role] = client.post(f"/directory/people/{own}/assignments", data=form).status_code
    assert found == {"safety": 422, "registrar": 422, "handler": 422, "reporter": 422, "auditor": 303}
    post = one(superuser, "select min(id) from assignments where person_id = :p", p=own)
    assert client.post(f"/directory/assignments/{post}/end").status_code == 409  # the last administrator


def test_an_assignment_has_its_dates_and_is_given_once(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client, who = client_of(ADMINISTRATOR), person_id(superuser, ALICE)
    last = clock.today() + timedelta(days=30)
    form = {"role": "handler", "place": f"unit:{HOME}", "valid_to": last.isoformat()}
    url = f"/directory/people/{who}/assignments"
    assert client.post(url, data=form).status_code == 303
    assert posts(superuser, ALICE)[1:] == [("handler", HOME, 30)]
    assert client_of(ALICE).get("/figures").status_code == 200
    with clock.at(clock.now() + timedelta(days=31)):
        assert client_of(ALICE).get("/figures").status_code == 403
    again = client.post(url, data=form)
    assert (again.status_code, told(again)) == (
        422,
        ["Personen har redan det uppdraget. Avsluta det först om datumen är fel."],
    )


def test_a_place_is_lent_to_the_invited_and_gives_nothing_but_the_way_in(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    number = filed(ANNA)
    with db.unit_of_work(db.NOBODY) as session:
        ida = queries.person_by_email(session, IDA)
        unit = queries.unit_by_hsa_id(session, HOME)
        assert ida is not None
        assert unit is not None
        branch, ida_id = unit.branch_id, ida.id
        actions.lend_place(session, ida.id, branch)
        actions.lend_place(session, ida.id, branch)
    with db.unit_of_work(db.NOBODY) as session:
        assert [(place.code, place.roles) for place in queries.places(session, ida_id)][1] == (
            f"{OWN}-V000",
            (Role.CO_INVESTIGATOR,),
        )
        [grant] = queries.grants(session, ida_id, "branch", branch)
        assert (grant.role, grant.units) == (Role.CO_INVESTIGATOR, None)
    browser = client_of(IDA, f"branch:{OWN}-V000")
    assert browser.get(f"/deviations/{number}").status_code == 404
    assert browser.get("/deviations/new").status_code == 403
    # Neither the administrator's page nor a colleague's list has it.
    page = client_of(ADMINISTRATOR).get(f"/directory/people/{ida_id}").text
    assert "Medutredare" not in page
    with db.unit_of_work(db.NOBODY) as session:
        assert IDA not in {one.email for one in queries.colleagues(session, branch)}
        actions.take_back_place(session, ida_id, branch)
    assert browser.get("/").headers["Location"] == "/login/assignment"


def test_a_lent_place_is_over_with_the_last_assignment_of_ones_own(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    number = filed(ANNA)
    alice = person_id(superuser, ALICE)
    with acting(ANNA) as (session, me):
        deviations.invite(session, me, cases.deviation(session, me, number), InviteForm(email=ALICE))
    browser, administrator = client_of(ALICE), client_of(ADMINISTRATOR)
    assert browser.get(f"/deviations/{number}").status_code == 200
    own = "select id from assignments where person_id = :p and role <> 'co_investigator'"
    for (assignment,) in rows(superuser, own, p=alice):
        assert administrator.post(f"/directory/assignments/{assignment}/end").status_code == 303
    assert browser.get(f"/deviations/{number}").status_code in (303, 404)
    # In another organisation's service, and not to be let in by a new invitation either.
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into assignments (person_id, role, unit_id, valid_from)"
                " select :p, 'reporter', id, current_date - 1 from units where hsa_id = 'SE2120000829-V010'"
            ),
            {"p": alice},
        )
    assert browser.get(f"/deviations/{number}").status_code in (303, 404)
    assert [place.code for place in places_of(alice)] == ["SE2120000829-V000"]
    with acting(ANNA) as (session, me), pytest.raises(InvalidError):
        deviations.invite(session, me, cases.deviation(session, me, number), InviteForm(email=ALICE))


def test_whom_one_organisation_has_ended_another_may_take_in_and_nothing_of_the_first_opens(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    bob = person_id(superuser, BOB)
    assert client_of(REGIONS_ADMINISTRATOR).post(f"/directory/people/{bob}/end").status_code == 303
    answer = client_of(ADMINISTRATOR).post("/directory/people", data={**NEW, "email": BOB})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/directory/people/{bob}?done=added")
    assert [place.code for place in places_of(bob)] == [f"{OWN}-V000"]
    assert rows(superuser, "select title, ended_on from people where id = :p", p=bob) == [
        (NEW["title"], None)
    ]


def places_of(who: int) -> list[queries.Place]:
    with db.unit_of_work(db.NOBODY) as session:
        return queries.places(session, who)
