"""A letter that is held up: what it says when it is tried again, and what becomes of what came due meanwhile."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import Engine, text

from backend.core import clock
from backend.core.calendar import at_hour
from backend.core.clock import STOCKHOLM
from backend.settings import settings
from tests.deviations.verbs import HOME_CARE_MANAGER, disputed
from tests.people import BERIT, BOB, filed
from tests.workers.day_by_day import ARRIVAL, SENT, mails, through, work
from tests.workers.post_office import OK, PostOffice, opened
from workers import notifications


def test_a_letter_that_a_mail_server_has_held_up_does_not_come_at_night(
    blekinge: str, superuser: Engine
) -> None:
    office = PostOffice()
    with opened(office):
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAMSVAR_SMTP_URL", office.url)
        settings.cache_clear()
        with clock.at(datetime(2026, 3, 6, 16, 50, tzinfo=STOCKHOLM)):
            filed()
            work()
        with opened(office):
            for moment in ("2026-03-06T17:30", "2026-03-07T12:00", "2026-03-09T06:59", "2026-03-09T08:14"):
                with clock.at(datetime.fromisoformat(moment).replace(tzinfo=STOCKHOLM)):
                    work()
            assert office.accepted == []
            with clock.at(datetime(2026, 3, 9, 8, 15, tzinfo=STOCKHOLM)):
                work()
    settings.cache_clear()
    assert len(office.accepted) == 1


def test_a_notice_written_while_its_letter_was_on_its_way_is_found(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        filed()
        for kind in notifications.NEWS:
            notifications.due(kind)
        with superuser.begin() as connection:
            connection.execute(text("delete from outbox where kind = 'notifications.letter'"))
    with clock.at(SENT + timedelta(seconds=121)):
        notifications.forgotten()
        work()
    assert mails(superuser) == [ARRIVAL]


def test_a_letter_that_is_tried_again_says_the_same_though_more_is_due_by_then(
    blekinge: str, superuser: Engine
) -> None:
    """A mail program throws away what comes again under an id that it knows, unread."""
    with pytest.MonkeyPatch.context() as patch, opened(PostOffice()) as office:
        patch.setenv("SAMSVAR_SMTP_URL", office.url)
        settings.cache_clear()
        office.answer = lambda _mail: "451 Later"
        with clock.at(SENT):
            first = filed()
            work()
        with clock.at(SENT + timedelta(minutes=1)):
            second = filed()
            work()
        office.answer = lambda _mail: OK
        with clock.at(SENT + timedelta(hours=5, minutes=1)):
            work()
    settings.cache_clear()
    said = {
        str(mail["Message-ID"]): [number in mail.get_content() for number in (first, second)]
        for mail in office.accepted
    }
    assert (len(office.accepted), sorted(said.values())) == (2, [[False, True], [True, False]])
    assert len({(str(mail["Message-ID"]), mail.get_content()) for mail in office.came}) == 2


def test_while_its_letter_waits_a_notice_is_not_taken_for_forgotten(blekinge: str, superuser: Engine) -> None:
    with clock.at(datetime(2026, 3, 6, 16, 50, tzinfo=STOCKHOLM)):
        filed()
        for kind in notifications.NEWS:
            notifications.due(kind)
    # No worker came before the evening, and then the letter is put off until the morning.
    for moment in ("2026-03-06T16:55", "2026-03-06T17:30", "2026-03-06T23:00", "2026-03-09T07:30"):
        with clock.at(datetime.fromisoformat(moment).replace(tzinfo=STOCKHOLM)):
            notifications.forgotten()
            if not moment.endswith("16:55"):
                work()
            assert owed_letters(superuser) == 1
    with clock.at(datetime(2026, 3, 9, 8, 15, tzinfo=STOCKHOLM)):
        work()
    assert mails(superuser) == [ARRIVAL]


def owed_letters(superuser: Engine) -> int | None:
    with superuser.connect() as connection:
        return connection.scalar(
            text("select count(*) from outbox where kind = 'notifications.letter' and outcome is null")
        )


def test_news_shortly_before_the_days_letter_come_with_it(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        filed()
        work()
    before = through(superuser, SENT.date() + timedelta(days=1), SENT.date() + timedelta(days=2))
    day = SENT.date() + timedelta(days=3)
    for at, letters in ((time(6), 0), (time(8, 5), 0), (time(8, 15), 1), (time(8, 40), 1)):
        with clock.at(at_hour(day, at)):
            if at == time(8, 5):
                filed()
            work()
        assert [to for to, _ in mails(superuser)[1 + len(before) :]].count(BOB) == letters


def test_both_sides_of_a_dispute_are_reminded_of_it(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        disputed()
        work()
    sent = through(superuser, SENT.date() + timedelta(days=1), date(2026, 3, 16))
    asked = [(day, to) for day, to, _subject in sent if day == "2026-03-09"]
    assert asked == [("2026-03-09", BERIT), ("2026-03-09", HOME_CARE_MANAGER)]


def test_a_letter_refused_for_good_is_not_tried_again(blekinge: str, superuser: Engine) -> None:
    asked: list[str] = []

    def refuses(address: str) -> str:
        asked.append(address)
        return "550 5.1.1 No such user"

    with pytest.MonkeyPatch.context() as patch, opened(PostOffice()) as office:
        patch.setenv("SAMSVAR_SMTP_URL", office.url)
        settings.cache_clear()
        office.recipient = refuses
        for hours in range(4):
            with clock.at(SENT + timedelta(hours=hours)):
                if hours == 0:
                    filed()
                work()
    settings.cache_clear()
    assert asked == [BOB]
    with superuser.connect() as connection:
        assert connection.scalars(text("select outcome from notices")).all() == ["refused"]
