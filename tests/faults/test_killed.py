"""Processes are killed at the worst moment; what was accepted is done all the same, and done once."""

import signal
import time
from email.message import EmailMessage

from backend.core.bell import Bell
from backend.notifications.actions import LETTER
from tests.core.embedded import probes
from tests.faults.house import House, owe_letters, wait
from tests.workers.post_office import OK

LATEST = f"select attempts, outcome from outbox where kind = '{LETTER}' order by id desc limit 1"


def test_a_worker_asked_to_stop_finishes_what_it_has_in_hand_in_time_and_in_few_words(
    house: House, case: str
) -> None:
    workers, _ = house.staff()
    in_hand = [True]
    house.office.holds = lambda _mail: in_hand[0]
    owe_letters(house, case, 1)
    wait(lambda: len(house.office.came) == 1, 30)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert None in [worker.poll() for worker in workers]
    in_hand[0] = False
    assert [worker.wait(10) for worker in workers] == [0] * len(workers)
    assert (len(house.office.ids()), house.ask(LATEST)) == (1, [(1, "sent")])
    # Not even as root does it complain of anything; a tick that comes in that moment goes back into the queue.
    for worker in workers:
        said = house.said(worker).partition("key=celery")[2].splitlines()
        words = [line.strip() for line in said if line.strip() and "Requeuing undeliverable" not in line]
        assert words == ["worker: Warm shutdown (MainProcess)"]


def test_a_worker_killed_while_the_mail_server_hesitates_sends_the_mail_later_and_once(
    house: House, case: str
) -> None:
    workers, _ = house.staff()
    house.office.holds = lambda _mail: True
    owe_letters(house, case, 1)
    wait(lambda: len(house.office.came) == 1, 30)
    # For ever: a server that said yes to a sender who has died would make two of one mail, as we tell in the docs.
    first = house.office.came[0]
    house.office.holds = lambda mail: mail is first
    house.kill(*workers)
    house.staff()
    assert (house.ask(LATEST), house.office.ids()) == ([(1, None)], [])
    # Half a minute passes: until then nobody may touch what the dead one took.
    house.let_claims_run_out()
    wait(lambda: house.waiting() == 0, 60)
    assert house.ask(LATEST) == [(2, "sent")]
    assert [mail["Message-ID"] for mail in house.office.came] == house.office.ids() * 2


def test_a_server_that_puts_off_one_letter_and_hangs_up_on_another_is_given_both_again(
    house: House, case: str
) -> None:
    house.staff()
    came, owed = house.office.came, owe_letters(house, case, 2)

    def first_try(of: str, mail: EmailMessage) -> bool:
        return mail["Message-ID"] == of and [one["Message-ID"] for one in came].count(of) == 1

    house.office.answer = lambda mail: "451 Later" if first_try(owed[0], mail) else OK
    house.office.hangs_up = lambda mail: first_try(owed[1], mail)
    failed = "select count(*) from outbox where done_at is null and attempts = 1 and claimed_at is null"
    wait(lambda: house.ask(failed) == [(2,)], 30)
    assert house.office.ids() == []
    house.order("update outbox set due_at = now() where done_at is null")
    wait(lambda: house.waiting() == 0, 30)
    assert sorted(house.office.ids()) == sorted(owed)
    assert sorted(mail["Message-ID"] for mail in came) == sorted([*owed, *owed])


def test_a_worker_killed_before_it_claims_leaves_nothing_behind(house: House, case: str) -> None:
    workers, _ = house.staff()
    with probes.sql(house.servers) as connection, connection.transaction():
        owe_letters(house, case, 1)
        connection.execute("lock table outbox in access exclusive mode")
        Bell(house.servers.redis_url).ring(LETTER)
        blocked = "select count(*) from pg_locks where relation = 'outbox'::regclass and not granted"
        wait(lambda: house.ask(blocked) != [(0,)], 20)
        house.kill(*workers)
    house.staff()
    wait(lambda: house.waiting() == 0, 60)
    assert house.ask(LATEST) == [(1, "sent")]
    assert len(house.office.ids()) == 1


def test_a_worker_killed_between_the_servers_yes_and_its_own_note_sends_again_under_the_same_id(
    house: House, case: str
) -> None:
    """What nobody who speaks SMTP can mend; readers' programs know the two for one by the Message-ID."""
    workers, _ = house.staff()
    house.office.answer = lambda _mail: house.kill(*workers) or OK
    owe_letters(house, case, 1)
    wait(lambda: len(house.office.accepted) == 1, 30)
    house.office.answer = lambda _mail: OK
    house.staff()
    house.let_claims_run_out()
    wait(lambda: house.waiting() == 0, 60)
    assert house.ask(LATEST) == [(2, "sent")]
    assert (len(house.office.ids()), len(set(house.office.ids()))) == (2, 1)


def test_postgresql_restarted_at_once_and_redis_emptied_amid_the_work_lose_and_double_nothing(
    house: House, case: str
) -> None:
    house.staff(workers=2, beats=2)
    owed = owe_letters(house, case, 100)
    for seen in (10, 30, 50):
        wait(lambda seen=seen: len(house.office.accepted) >= seen, 30)  # type: ignore[misc]
        house.restart_database()
        with house.valkey() as broker:
            broker.flushall()
    # What they had in hand when the database went comes back when their claims have run out.
    wait(lambda: house.waiting() <= 12, 60)
    time.sleep(1)
    house.let_claims_run_out()
    wait(lambda: house.waiting() == 0, 60)
    assert sorted(house.office.ids()) == sorted(owed)
