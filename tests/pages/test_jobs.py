"""What has stuck: seen by whoever answers for it and by nobody else, tried again, dropped with a reason, taken back."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock, jobs
from backend.pages.job_words import KINDS
from tests.directory.offices import HOME, REGIONS_ADMINISTRATOR, one, person_id, recorded, rows
from tests.people import ADMINISTRATOR, ANNA, BOB, CHARLIE, COORDINATOR, IDA, MATS

Browsers = Callable[..., TestClient]
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(blekinge: str) -> "object":
    with clock.at(NOW):
        yield


def stick(
    superuser: Engine, kind: str = "notifications.arrival", error: str = "TimeoutError", **columns: object
) -> int:
    """A row that was given up an hour ago, for Anna's branch unless told otherwise. Gives its number."""
    home = one(superuser, "select branch_id from units where hsa_id = :h", h=HOME)
    row = {
        "branch_id": home,
        "subject_id": 1,
        "person_id": None,
        "given_up_at": NOW - timedelta(hours=1),
        "attempts": jobs.ATTEMPTS,
        **columns,
    }
    with superuser.begin() as connection:
        number = connection.scalar(
            text(
                "insert into outbox (kind, due_at, owed_at, outcome, branch_id, subject_id, person_id, given_up_at, attempts)"
                " values (:kind, :due, :owed, :outcome, :branch_id, :subject_id, :person_id, :given_up_at, :attempts)"
                " returning id"
            ),
            {"kind": kind, "outcome": error, "due": NOW, "owed": NOW - timedelta(days=3), **row},
        )
    assert isinstance(number, int)
    return number


def branch_of(superuser: Engine, email: str) -> object:
    return one(
        superuser,
        "select u.branch_id from assignments a join people p on p.id = a.person_id join units u on u.id = a.unit_id"
        " where email = :e limit 1",
        e=email,
    )


def words(page: str) -> str:
    main = page.partition('<main id="main"')[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", main)))


def test_the_page_says_what_has_stuck_for_whom_and_why_in_words_and_never_which_case(
    client_of: Browsers, superuser: Engine
) -> None:
    number = stick(superuser)
    stick(superuser)
    stick(superuser, "summaries.unheard_of", "KeyError")
    said = words(client_of(ADMINISTRATOR).get("/jobs").text)
    pile = re.search(r"Mejl om ett nytt ärende.*?Försök igen", said)
    assert pile is not None
    assert pile.group().strip() == (
        "Mejl om ett nytt ärende För Vård och omsorg Sölvesborg Antal 2"
        " Det äldsta uppstod 29 maj 2026 kl. 10.00"
        " Gavs upp 1 juni 2026 kl. 09.00, efter 80 försök"
        " Vad som hände Mejlservern svarade inte i tid Försök igen"
    )
    assert "Annat arbete" in said
    assert "Fel i programmet. Uppge KeyError till supporten" in said
    assert "notifications" not in said
    assert f"/jobs/{number}" not in said


def test_when_nothing_has_stuck_the_page_says_so_and_the_start_page_keeps_silent(client_of: Browsers) -> None:
    client = client_of(ADMINISTRATOR)
    said = words(client.get("/jobs").text)
    assert ("Inget har fastnat." in said, "Inget väntar. Allt som skulle ha skett har skett." in said) == (
        True,
        True,
    )
    home = client.get("/").text
    assert ('id="stuck"' in home, 'href="/jobs"' in home) == (False, True)


def test_the_start_page_counts_what_has_stuck_for_those_who_answer_for_it(
    client_of: Browsers, superuser: Engine
) -> None:
    stick(superuser)
    stick(superuser, branch_id=branch_of(superuser, BOB))
    stick(
        superuser, "summaries.snapshot", branch_id=None, subject_id=one(superuser, "select id from counties")
    )
    told = {
        who: "Ett utskick eller jobb har fastnat" in words(client_of(who).get("/").text)
        for who in (ADMINISTRATOR, REGIONS_ADMINISTRATOR, COORDINATOR, ANNA, MATS, IDA, CHARLIE)
    }
    assert told == {
        ADMINISTRATOR: True,
        REGIONS_ADMINISTRATOR: True,
        COORDINATOR: True,
        **dict.fromkeys([ANNA, MATS, IDA, CHARLIE], False),
    }


def test_each_sees_and_touches_only_what_they_answer_for(client_of: Browsers, superuser: Engine) -> None:
    """The table stands outside row-level security, so only this narrows it."""
    county = one(superuser, "select id from counties")
    of_region = {"branch_id": branch_of(superuser, BOB)}
    nobodys = {"branch_id": None}
    owners = {
        stick(superuser): ADMINISTRATOR,
        stick(superuser, **of_region): REGIONS_ADMINISTRATOR,
        stick(
            superuser, "accounts.invitation", **nobodys, person_id=person_id(superuser, IDA)
        ): ADMINISTRATOR,
        stick(
            superuser, "accounts.invitation", **nobodys, person_id=person_id(superuser, BOB)
        ): REGIONS_ADMINISTRATOR,
        stick(superuser, "summaries.snapshot", **nobodys, subject_id=county): COORDINATOR,
        stick(superuser, "upkeep.prune", **nobodys, subject_id=None): COORDINATOR,
        # Another county's, and one that nobody owns.
        stick(superuser, "summaries.snapshot", **nobodys, subject_id=int(str(county)) + 1): None,
        stick(superuser, "accounts.reset", **nobodys): None,
    }
    everybody = [ADMINISTRATOR, REGIONS_ADMINISTRATOR, COORDINATOR, ANNA, BOB, MATS, IDA, CHARLIE]
    for who in everybody:
        client = client_of(who)
        page = client.get("/jobs")
        owns = who in owners.values()
        assert page.status_code == (200 if owns else 404)
        shown = {int(n) for n in re.findall(r'id="job-(\d+)"', page.text)}
        assert shown == {number for number, owner in owners.items() if owner == who}
        for number, owner in owners.items():
            if owner != who:
                missing = client.post("/jobs/999999/retry")
                for verb in ("retry", "drop"):
                    answer = client.post(f"/jobs/{number}/{verb}", data={"reason": "other"})
                    assert (answer.status_code, len(answer.text)) == (404, len(missing.text))
        several = client.post(
            "/jobs/retry", data={"jobs": [str(n) for n, owner in owners.items() if owner != who]}
        )
        assert several.status_code == (409 if owns else 404)
    untouched = "select count(*) from outbox where given_up_at is not null and done_at is null"
    assert one(superuser, untouched) == len(owners)


def test_what_is_tried_again_begins_anew_at_once_and_is_on_record(
    client_of: Browsers, superuser: Engine
) -> None:
    first, second, third = stick(superuser), stick(superuser), stick(superuser, "notifications.masked")
    client = client_of(ADMINISTRATOR)
    answer = client.post("/jobs/retry", data={"jobs": f"{first},{second}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?done=retried")
    assert client.post(f"/jobs/{third}/retry").status_code == 303
    assert client.post(f"/jobs/{third}/retry").status_code == 404
    assert client.post("/jobs/retry", data={"jobs": f"{first},{second}"}).status_code == 409
    assert "Någon hann före" in client.post("/jobs/retry", data={"jobs": ["x", "", "9" * 30]}).text
    assert recorded(superuser, "jobs") == ["jobs.retry", "jobs.retry"]
    details = one(superuser, "select details from audit_log where action = 'jobs.retry' order by id limit 1")
    assert details == {"jobs": [str(first), str(second)]}
    assert rows(superuser, "select distinct attempts, given_up_at, done_at, due_at from outbox") == [
        (0, None, None, NOW)
    ]
    claim = jobs.claim("notifications.masked")
    assert claim is not None
    assert (claim.id, claim.attempts) == (third, 1)


def test_to_drop_takes_a_reason_is_on_record_and_can_be_taken_back(
    client_of: Browsers, superuser: Engine
) -> None:
    number = stick(superuser)
    client = client_of(ADMINISTRATOR)
    for reason in ({}, {"reason": "Patienten heter Canary"}):
        refused = client.post("/jobs/drop", data={"jobs": str(number), **reason})
        assert (refused.status_code, "Canary" in words(refused.text)) == (422, False)
        assert re.search(rf'<details class="confirm" id="drop-{number}" open', refused.text)
    assert client.post(f"/jobs/{number}/drop").status_code == 422
    dropped = client.post("/jobs/drop", data={"jobs": str(number), "reason": "wrong_address"})
    assert (dropped.status_code, dropped.headers["location"]) == (303, "/jobs?done=dropped")
    row = "select done_at, dropped_reason, dropped_by_id, outcome from outbox"
    me = person_id(superuser, ADMINISTRATOR)
    assert rows(superuser, row) == [(NOW, "wrong_address", me, "TimeoutError")]
    said = words(client.get("/jobs").text)
    assert "Inget har fastnat." in said
    assert (
        "Vård och omsorg Sölvesborg · Mottagaren eller adressen finns inte · släppt 1 juni 2026 kl. 10.00"
        in said
    )
    assert jobs.claim("notifications.arrival") is None
    assert client.post(f"/jobs/{number}/retry").status_code == 303
    assert rows(superuser, row) == [(None, None, None, "TimeoutError")]
    assert [claim.id for claim in [jobs.claim("notifications.arrival")] if claim] == [number]
    assert recorded(superuser, "jobs") == ["jobs.drop", "jobs.retry"]
    details = one(superuser, "select details from audit_log where action = 'jobs.drop'")
    assert details == {"jobs": [str(number)], "reason": "wrong_address"}


def test_what_waits_is_told_by_kind_with_since_when_and_what_the_last_try_met(
    client_of: Browsers, superuser: Engine
) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into outbox (kind, due_at, owed_at, outcome, branch_id) select owed.kind, :now + after * interval '1 minute',"
                " :now, outcome, branch_id from units, (values ('notifications.arrival', -5, null),"
                " ('notifications.arrival', -3, null), ('notifications.answered', 30, 'SMTPDataError'),"
                " ('notifications.reminder_before', 9999, null)) owed (kind, after, outcome) where hsa_id = :h"
            ),
            {"now": NOW, "h": HOME},
        )
    said = words(client_of(ADMINISTRATOR).get("/jobs").text)
    assert said[said.index("Senaste försöket") : said.index("Utskrivet")].strip() == (
        "Senaste försöket Mejl om ett nytt ärende 2 1 juni 2026 kl. 09.55 –"
        " Mejl om ett svar att läsa 1 försöks igen 1 juni 2026 kl. 10.30 Mejlservern tog inte emot mejlet"
    )
    assert "Inget väntar." in words(client_of(REGIONS_ADMINISTRATOR).get("/jobs").text)


def test_every_job_has_a_name_in_words() -> None:
    from workers.app import celery

    celery.loader.import_default_modules()
    ours = {name for name in celery.tasks if not name.startswith(("celery.", "test.")) and name != "tick"}
    assert ours - set(KINDS) == set()
