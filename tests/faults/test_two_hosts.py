"""Two hosts, each with a worker in a folder of its own, share one PostgreSQL and one Redis."""

from tests.faults.house import House, owe_letters, wait
from tests.workers.post_office import PostOffice, opened

JOBS = 100


def test_two_workers_in_two_places_share_a_hundred_jobs_and_do_each_once(house: House, case: str) -> None:
    house.kill(*house.living("worker"))
    house.staff(workers=0, beats=2)
    offices = [PostOffice(), PostOffice()]
    for office in offices:  # whoever is ready first waits for the other
        office.holds = lambda _mail: not all(one.came for one in offices)
    with opened(offices[0]), opened(offices[1]):
        hosts = []
        for n, office in enumerate(offices):
            home = house.folder / f"host-{n}"
            home.mkdir()
            hosts.append(
                house.start(
                    "worker",
                    cwd=home,
                    SAMSVAR_STATE=str(home / "state"),
                    SAMSVAR_SMTP_URL=office.url,
                )
            )
        owed = owe_letters(house, case, JOBS)
        wait(lambda: house.waiting() == 0, 60)
        sent = [office.ids() for office in offices]
        house.kill(*hosts)
    print(f"the one sent {len(sent[0])}, the other {len(sent[1])}")
    assert sorted(sent[0] + sent[1]) == sorted(owed)
    assert min(map(len, sent)) > JOBS / 20
