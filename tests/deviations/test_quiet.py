"""Leaving those who handle a case in peace: for one's own side, with a reason, and undone with a press."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import actions, queries
from backend.deviations.actions.mask import texts_of
from backend.deviations.forms import MaskForm, WithdrawForm
from tests.deviations.test_pages import errors
from tests.people import ALICE, ANNA, ANSWER, BOB, CHARLIE, IDA, MATS, acting, filed

pytestmark = pytest.mark.usefixtures("shared_blekinge")

Of = Callable[..., TestClient]
SAFETY_B, REGISTRAR_B = "patientsakerhet@region.example", "registrator@region.example"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ASKED = {"until": "2026-03-16", "reason": "Vi väntar på kanariefågelns journal."}


def row(superuser: Engine, number: str, hsa_id: str = "SE2321000081-B000") -> tuple[object, ...]:
    with superuser.connect() as connection:
        found = connection.execute(
            text(
                "select quiet_at, quiet_until, quiet_reason, p.email from sides s"
                " join branches b on b.id = s.branch_id join deviations d on d.id = s.deviation_id"
                " left join people p on p.id = quiet_by_id"
                " where d.case_number = :number and b.hsa_id = :hsa_id"
            ),
            {"number": number, "hsa_id": hsa_id},
        ).one()
    return tuple(found)


def test_quiet_is_for_handlers_of_ones_own_side_and_the_other_reads_nothing_of_it(
    client_of: Of, superuser: Engine
) -> None:
    with clock.at(NOW):
        number = filed(ANNA)
        address = f"/deviations/{number}"
        assert {
            client_of(one).post(f"{address}/quiet", data=ASKED).status_code for one in (ALICE, IDA, CHARLIE)
        } == {404}
        assert client_of(REGISTRAR_B).post(f"{address}/quiet", data=ASKED).status_code == 403
        done = client_of(BOB).post(f"{address}/quiet", data=ASKED)
        assert (done.status_code, done.headers["location"]) == (303, f"{address}?did=quiet")
        assert row(superuser, number) == (NOW, date(2026, 3, 16), ASKED["reason"], BOB)
        for ours in (BOB, SAFETY_B):
            page = client_of(ours).get(address).text
            assert "Påminnelserna är av" in page
            assert "Till måndag 16 mars 2026." in page
            assert "kanariefågelns" in page
        for theirs in (ANNA, MATS):
            for path in (address, f"{address}/print", "/settings/notifications"):
                page = client_of(theirs).get(path).text
                assert [
                    word
                    for word in ("kanariefågelns", "Påminnelserna är av", number + "</a></p>")
                    if word in page
                ] == []


def test_whoever_could_ask_for_quiet_may_end_it(client_of: Of, superuser: Engine) -> None:
    with clock.at(NOW):
        number = filed(ANNA)
        client_of(BOB).post(f"/deviations/{number}/quiet", data=ASKED | {"until": ""})
        assert "Tills vidare." in client_of(BOB).get(f"/deviations/{number}").text
        assert number in client_of(SAFETY_B).get("/settings/notifications").text
        assert client_of(REGISTRAR_B).post(f"/deviations/{number}/unquiet").status_code == 403
        done = client_of(SAFETY_B).post(f"/deviations/{number}/unquiet")
        assert (done.status_code, done.headers["location"]) == (303, f"/deviations/{number}?did=unquiet")
        assert row(superuser, number) == (None, None, None, None)
        assert "Påminnelserna är av" not in client_of(BOB).get(f"/deviations/{number}").text
        assert number not in client_of(SAFETY_B).get("/settings/notifications").text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"reason": ""}, "Skriv varför, så att kollegorna vet."),
        ({"until": "2026-03-02"}, "Välj en dag inom de närmaste 60 dagarna."),
        ({"until": "2026-05-04"}, "Välj en dag inom de närmaste 60 dagarna."),
        ({"until": "2026-03-14"}, "Den dagen är ingen arbetsdag. Välj en annan."),
        ({"until": "2026-04-06"}, "Den dagen är ingen arbetsdag. Välj en annan."),  # annandag påsk
        ({"until": "snart"}, "Skriv datumet som 2026-11-22."),
    ],
)
def test_a_day_that_is_none_and_a_reason_that_is_missing_are_said(
    client_of: Of, typed: dict[str, str], sentence: str
) -> None:
    with clock.at(NOW):
        number = filed(ANNA)
        refused = client_of(BOB).post(f"/deviations/{number}/quiet", data=ASKED | typed)
        assert (refused.status_code, errors(refused.text)) == (422, [sentence])
        assert 'id="quiet" open' in refused.text


def test_sixty_days_ahead_is_the_furthest(client_of: Of) -> None:
    with clock.at(datetime(2026, 3, 3, 9, tzinfo=UTC)):
        number = filed(ANNA)
        data = ASKED | {
            "until": "2026-05-01"
        }  # the sixtieth day is the 2nd, a Saturday; the 1st is a holiday
        assert client_of(BOB).post(f"/deviations/{number}/quiet", data=data).status_code == 422
        data = ASKED | {"until": "2026-04-30"}
        assert client_of(BOB).post(f"/deviations/{number}/quiet", data=data).status_code == 303


def test_a_personnummer_in_the_reason_is_refused(client_of: Of, superuser: Engine) -> None:
    with clock.at(NOW):
        number = filed(ANNA)
        refused = client_of(BOB).post(
            f"/deviations/{number}/quiet", data={"reason": "Vi väntar på 20121212-1212 själv."}
        )
        assert refused.status_code == 422
        with superuser.connect() as connection:
            assert connection.scalar(text("select count(*) from sides where quiet_reason like '%1212%'")) == 0


def test_a_case_that_is_over_cannot_be_made_quiet(client_of: Of) -> None:
    with clock.at(NOW):
        number = filed(ANNA)
        with acting(ANNA) as (db, me):
            actions.withdraw(db, me, queries.deviation(db, me, number), WithdrawForm(comment="Fel."))
        assert client_of(MATS).post(f"/deviations/{number}/quiet", data=ASKED).status_code == 409


def test_a_slip_that_is_masked_is_hidden_in_the_reason_of_both_sides_too(
    client_of: Of, superuser: Engine
) -> None:
    with clock.at(NOW):
        number = filed(ANNA, description="Fru Kanariefågel kom hem utan lista.")
        client_of(BOB).post(f"/deviations/{number}/quiet", data={"reason": "Kanariefågel är på resa."})
        with acting(MATS) as (db, me):
            actions.mask(
                db, me, queries.deviation(db, me, number), MaskForm(field="description", start=4, end=16)
            )
        assert row(superuser, number)[2] == "▒▒▒ är på resa."
        # And the words themselves are nobody else's: no mask of another side tells of them.
        with acting(MATS) as (db, me):
            fields = [mask.field for mask in queries.masks(db, me, queries.deviation(db, me, number))]
        assert fields == ["description"]


def test_safety_can_mask_the_reason_itself_and_only_their_own_side_knows(client_of: Of) -> None:
    with clock.at(NOW):
        number = filed(ANNA)
        client_of(BOB).post(f"/deviations/{number}/quiet", data={"reason": "Kanariefågel är på resa."})
        with acting(SAFETY_B) as (db, me):
            case = queries.deviation(db, me, number)
            field = next(name for name, _text in texts_of(db, case) if name.startswith("sides."))
            actions.mask(db, me, case, MaskForm(field=field, start=0, end=12))
        with acting(SAFETY_B) as (db, me):
            shown = queries.masks(db, me, queries.deviation(db, me, number))
            assert [(mask.field, mask.original) for mask in shown] == [(field, "Kanariefågel är på resa.")]
        with acting(MATS) as (db, me):
            assert queries.masks(db, me, queries.deviation(db, me, number)) == []


def test_no_search_finds_a_case_by_why_it_is_quiet(superuser: Engine, client_of: Of) -> None:
    with clock.at(NOW):
        number = filed(ANNA)
        client_of(BOB).post(f"/deviations/{number}/quiet", data={"reason": "Albatrossen är på resa."})
        with acting(BOB) as (db, me):
            actions.answer(db, me, queries.deviation(db, me, number), ANSWER)
        with superuser.connect() as connection:
            assert connection.scalar(text("select count(*) from case_words where word like 'albatr%'")) == 0


def test_quiet_is_on_record(client_of: Of, superuser: Engine) -> None:
    with clock.at(NOW):
        number = filed(ANNA)
        client_of(BOB).post(f"/deviations/{number}/quiet", data=ASKED)
        client_of(BOB).post(f"/deviations/{number}/unquiet")
    with superuser.connect() as connection:
        rows = connection.execute(
            text(
                "select action, details from audit_log where action ~ 'quiet' and :n = any(cases) order by id"
            ),
            {"n": number},
        ).all()
    assert [tuple(one) for one in rows] == [
        ("deviations.quiet", {"until": "2026-03-16"}),
        ("deviations.unquiet", {}),
    ]
