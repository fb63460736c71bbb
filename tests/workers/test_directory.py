"""Bounces that come back, and what an organisation is told of its own units: from the action to the mail."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.core import bounces, clock, db, letter_box
from backend.directory import actions
from backend.settings import settings
from tests.core.imap_server import Mailboxes, serving
from tests.core.test_delivery_reports import block, letter, quoted, status
from tests.directory.offices import CARE, one, rows
from tests.people import ADMINISTRATOR, ANNA, BERIT, COORDINATOR, MATS, filed
from workers import directory as jobs
from workers.app import tick

TUESDAY = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PATIENT_SAFETY = "patientsakerhet@region.example"
REGIONS_ADMINISTRATOR = "admin@region.example"
NOBODYS_UNIT = "SE2321000081-S021"
FOOT = (
    "Så når ärendena fram hos er: http://127.0.0.1:8000/directory/health\n\n"
    "Mejlet innehåller inget ur något ärende. Det går inte att svara på.\n"
)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A maildir that the settings name."""
    for folder in ("tmp", "new", "cur"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("SAMSVAR_BOUNCES", f"maildir:{tmp_path}")
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


def report(*addresses: str, number: int = 1) -> bytes:
    blocks = [block(address) for address in addresses]
    return letter(status(*blocks), quoted(f"<digest.{number}@127.0.0.1>"), head=f"X-Number: {number}\r\n")


def hour(moment: datetime) -> None:
    """The tick of that hour, and what a worker then does."""
    with clock.at(moment):
        with db.unit_of_work(db.NOBODY) as session:
            actions.owe_upkeep(session)
        jobs.look_for_bounces()
        for job in (jobs.unreachable, jobs.no_receiver, jobs.no_substitutes):
            job()


def mails(superuser: Engine) -> list[tuple[tuple[str, ...], str]]:
    found = rows(superuser, 'select "to", subject from caught_mails order by id')
    return [(tuple(to), str(subject)) for to, subject in found]  # type: ignore[arg-type]


def noted(superuser: Engine) -> list[tuple[object, ...]]:
    return rows(superuser, "select address, status, source from bounces order by id")


def test_reports_are_read_once_and_put_away_and_only_of_people_here(
    blekinge: str, superuser: Engine, box: Path
) -> None:
    (box / "new" / "1").write_bytes(report(ANNA, "stranger@elsewhere.example"))
    (box / "new" / "2").write_bytes(b"Subject: Jag har semester\r\n\r\nHej!")
    (box / "new" / "3").write_bytes(b"\x00" * 100)
    hour(TUESDAY)
    hour(TUESDAY + timedelta(hours=1))
    assert noted(superuser) == [(ANNA, "5.1.1", "mailbox")]
    assert [
        sorted(one.name for one in folder.iterdir()) for folder in (box / "new", box / ".behandlade" / "cur")
    ] == [
        [],
        ["1", "2", "3"],
    ]
    query = "select outcome from outbox where kind = 'directory.bounces' order by id"
    assert rows(superuser, query) == [("new 1",), ("new 0",)]


def test_one_that_is_killed_before_it_has_put_a_letter_away_counts_it_once(
    blekinge: str, superuser: Engine, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (box / "new" / "1").write_bytes(report(ANNA))
    with monkeypatch.context() as patched:
        # What a kill leaves: the row is safe, the letter where it was.
        patched.setattr(letter_box.Maildir, "put_away", lambda *_: (_ for _ in ()).throw(OSError()))
        hour(TUESDAY)
    assert len(list((box / "new").iterdir())) == 1
    hour(TUESDAY + timedelta(hours=1))
    assert noted(superuser) == [(ANNA, "5.1.1", "mailbox")]
    assert list((box / "new").iterdir()) == []


def test_an_imap_folder_is_read_as_well(
    blekinge: str, superuser: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = Mailboxes(folders={"INBOX": {5: report(ANNA)}})
    with serving(boxes):
        monkeypatch.setenv("SAMSVAR_BOUNCES", f"imap://samsvar:hemligt@127.0.0.1:{boxes.port}/INBOX")
        settings.cache_clear()
        hour(TUESDAY)
    monkeypatch.undo()
    settings.cache_clear()
    assert noted(superuser) == [(ANNA, "5.1.1", "mailbox")]
    assert boxes.folders["INBOX"] == {}


def test_after_three_the_organisation_is_told_once_and_never_the_county(
    blekinge: str, superuser: Engine, box: Path
) -> None:
    for number in range(3):
        (box / "new" / str(number)).write_bytes(report(ANNA, number=number))
        hour(TUESDAY + number * timedelta(hours=1))
        assert mails(superuser) == ([] if number < 2 else mails(superuser))
    for later in range(4, 30):
        hour(TUESDAY + later * timedelta(hours=1))
    assert mails(superuser) == [((ADMINISTRATOR, MATS), f"Mejl till {ANNA} kommer tillbaka")]
    assert one(superuser, "select body from caught_mails") == (
        f"Mejlen till Sjuksköterska, Hemsjukvården Sölvesborg ({ANNA}) har kommit tillbaka tre gånger i rad, senast "
        "tisdag 3 mars 2026. Personen tar emot ärenden för Hemsjukvården Sölvesborg.\n\n"
        f"Rätta adressen, eller ge uppdraget till någon annan.\n\n{FOOT}"
    )
    assert COORDINATOR not in str(mails(superuser))


def test_an_address_that_is_confirmed_meanwhile_is_told_of_to_nobody(
    blekinge: str, superuser: Engine
) -> None:
    evening = TUESDAY.replace(hour=19)
    with clock.at(evening), db.unit_of_work(db.NOBODY) as session:
        for number in range(3):
            bounces.record(session, "smtp", str(number), [(ANNA, "5.1.1")])
    hour(evening)
    assert mails(superuser) == []  # not at night
    with clock.at(evening), db.unit_of_work(db.NOBODY) as session:
        bounces.forget(session, ANNA)
    hour(TUESDAY + DAY)
    assert mails(superuser) == []
    query = "select outcome from outbox where kind = 'directory.unreachable'"
    assert rows(superuser, query) == [("no longer true",)]


def test_a_unit_without_receiver_is_told_to_the_safety_of_its_branch(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(TUESDAY):
        filed(receiver_unit=NOBODYS_UNIT)
        filed(receiver_unit=NOBODYS_UNIT)
    hour(TUESDAY)
    assert mails(superuser) == [((PATIENT_SAFETY,), "Kirurgavdelning 46 saknar mottagare")]
    assert one(superuser, "select body from caught_mails") == (
        "Ett ärende har kommit till Kirurgavdelning 46, där ingen har i uppdrag att ta emot. Tills någon får "
        "uppdraget går mejlen om ärendet till er.\n\nGe någon uppdraget som utredare eller chef.\n\n" + FOOT
    )


def test_where_somebody_has_got_the_assignment_meanwhile_nothing_is_said(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(TUESDAY.replace(hour=19)):
        filed(receiver_unit=NOBODYS_UNIT)
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into assignments (person_id, role, unit_id, valid_from) select p.id, 'handler', u.id, :d"
                " from people p, units u where email = :e and hsa_id = :h"
            ),
            {"e": BERIT, "h": NOBODYS_UNIT, "d": TUESDAY.date()},
        )
    hour(TUESDAY + DAY)
    assert mails(superuser) == []


def test_units_that_hang_on_one_person_are_listed_in_may_and_november_once(
    blekinge: str, superuser: Engine
) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into substitutes (person_id, substitute_id, branch_id, valid_from, valid_to, made_by_id)"
                " select p.id, s.id, b.id, '2026-05-01', '2026-12-31', p.id from people p, people s, branches b"
                " where p.email = :e and s.email = :s and b.hsa_id = :b"
            ),
            {"e": ANNA, "s": "hemtjanst@solvesborg.example", "b": CARE},
        )
    hour(datetime(2026, 5, 4, 6, 14, tzinfo=UTC))  # 8.14 in Sweden, the first working day
    assert mails(superuser) == []
    for minutes in (15, 16, 70):
        hour(datetime(2026, 5, 4, 6, tzinfo=UTC) + timedelta(minutes=minutes))
    may = mails(superuser)
    # The other organisations have nobody at work, or nobody to tell.
    assert [to for to, _subject in may] == [
        (REGIONS_ADMINISTRATOR, PATIENT_SAFETY),
        ("mas@karlskrona.example",),
        (ADMINISTRATOR, MATS, "sas@solvesborg.example"),
        ("mas@olofstrom.example",),
    ]
    assert {subject for _to, subject in may} == {"Enheter utan ersättare inför sommaren"}
    [ours] = rows(superuser, 'select body from caught_mails where :who = any("to")', who=ADMINISTRATOR)
    assert ours == (
        "På de här enheterna hänger allt på en person, och ingen är utsedd att ersätta:\n\n"
        "Skolsköterskorna Sölvesborg, Elevhälsans medicinska insats Sölvesborg\n"
        "Barn och familj Sölvesborg, Individ- och familjeomsorg Sölvesborg\n"
        "MAS Sölvesborg, Vård och omsorg Sölvesborg\n"
        "Vård och omsorg Sölvesborg, Vård och omsorg Sölvesborg\n\n"
        f"Utse ersättare innan ledigheterna börjar, så blir inga ärenden liggande.\n\n{FOOT}",
    )
    hour(datetime(2026, 11, 2, 7, 15, tzinfo=UTC))
    november = mails(superuser)[len(may) :]
    assert {subject for _to, subject in november} == {"Enheter utan ersättare inför jul och nyår"}
    assert COORDINATOR not in str(mails(superuser))


def test_on_a_day_that_the_county_has_closed_no_organisation_is_written_to(
    blekinge: str, superuser: Engine
) -> None:
    with superuser.begin() as connection:
        connection.execute(text('update agreements set terms = terms || \'{"closed": ["2026-05-04"]}\''))
    monday = datetime(2026, 5, 4, 7, 15, tzinfo=UTC)
    hour(monday)
    assert mails(superuser) == []
    hour(monday + DAY)
    assert mails(superuser) != []


def test_the_tick_owes_each_hour_once_and_the_list_long_before(blekinge: str, superuser: Engine) -> None:
    for minutes in (0, 1, 59, 60):
        with clock.at(TUESDAY + timedelta(minutes=minutes)):
            tick()
    query = "select count(*) from outbox where kind = :k"
    assert one(superuser, query, k="directory.bounces") == 2
    owed = rows(
        superuser,
        "select distinct due_at at time zone 'UTC' from outbox where kind = 'directory.no_substitutes'",
    )
    assert [str(due) for (due,) in owed] == ["2026-05-04 06:15:00"]
    assert one(superuser, query, k="directory.no_substitutes") == 7
