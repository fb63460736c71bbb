"""Processes are killed at the worst moment; what was accepted is done all the same, and done once."""

import signal
import time

from tests.faults.house import House, Web, wait

LATEST = "select attempts, outcome from outbox where kind = 'notifications.arrival' order by id desc limit 1"


def test_two_workers_and_two_beats_send_each_of_a_hundred_mails_once(house: House, web: Web) -> None:
    workers, beats = house.staff(workers=2, beats=2)
    numbers = [web.file() for _ in range(100)]
    wait(lambda: house.waiting() == 0, 60)
    time.sleep(1)  # a second mail would come now
    written = [next(n for n in numbers if n in mail.get_content()) for mail in list(house.office.accepted)]
    assert sorted(written) == sorted(numbers)
    assert len(set(house.office.ids())) == 100
    assert [process.poll() for process in (*workers, *beats)] == [None] * 4


def test_a_worker_asked_to_stop_finishes_what_it_has_in_hand_in_time_and_in_few_words(
    house: House, web: Web
) -> None:
    workers, _ = house.staff()
    in_hand = [True]
    house.office.holds = lambda _mail: in_hand[0]
    web.file()
    wait(lambda: len(house.office.came) == 1, 30)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert None in [worker.poll() for worker in workers]
    in_hand[0] = False
    assert [worker.wait(10) for worker in workers] == [0] * len(workers)
    assert (len(house.office.ids()), house.waiting()) == (1, 0)
    # Not even as root does it complain of anything.
    said = [house.said(worker).partition("key=celery")[2].split() for worker in workers]
    assert [" ".join(words) for words in said] == ["worker: Warm shutdown (MainProcess)"] * len(workers)


def test_a_worker_killed_while_the_mail_server_hesitates_sends_the_mail_later_and_once(
    house: House, web: Web
) -> None:
    workers, _ = house.staff()
    house.office.holds = lambda _mail: True
    web.file()
    wait(lambda: len(house.office.came) == 1, 30)
    # For ever: a server that said yes to a sender who has died would make two of one mail, as we tell in the docs.
    first = house.office.came[0]
    house.office.holds = lambda mail: mail is first
    house.kill(*workers)
    house.staff()
    assert (house.ask(LATEST), house.office.ids()) == ([(1, None)], [])
    # Five minutes pass: until then nobody may touch what the dead one took.
    house.order("update outbox set claimed_at = claimed_at - interval '6 minutes' where done_at is null")
    wait(lambda: house.waiting() == 0, 60)
    assert house.ask(LATEST) == [(2, "sent")]
    assert [mail["Message-ID"] for mail in house.office.came] == house.office.ids() * 2
