"""How long a search takes among 500,000 cases, as the app's own role behind the walls: `python -m benchmarks.search`.

A server of its own, thrown away afterwards. One region holds one end of every case, as in a county; the words are
spread as in speech, from one in every second case to one in all. Printed: p50 and p95 in milliseconds and as a
ratio to a bare look-up of one case, for the safety of the whole region, for one ward, and for one who has only
reported. Fails where a p95 passes 150 ms.
"""

import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts import actions as accounts
from backend.core import clock, db, embedded, migrate
from backend.deviations import finding
from backend.exchange import COUNTIES, actions

CASES = 500_000
TIMES = 40
LIMIT_MS = 150.0
OUT = Console(width=100)
SAFETY = "patientsakerhet@region.example"
WARD = "avd43@region.example"
REPORTER = "hemtjanst@solvesborg.example"

# Every hundredth word is one that the queries below name; `often` is in how many cases of a thousand it stands.
OFTEN = {
    "patient": 600,
    "avdelning": 500,
    "läkemedl": 400,
    "hemgång": 300,
    "läkemedelslist": 80,
    "läkemedelsgenomgång": 20,
    "epikris": 60,
    "sip": 20,
    "dropp": 2,
    "trakealkanyl": 0.02,
}
# Two that never stand together: the worst that two words can be.
NEVER = ("hjälpmedl", "transport")

QUERIES = {
    "the most common word": "patienten ",
    "a common word": "läkemedel ",
    "a rare word": "trakealkanyl ",
    "no such word": "giraff ",
    "two common words": "patient läkemedel ",
    "five words": "patient avdelning läkemedel hemgång epikris ",
    "common and rare": "patient trakealkanyl ",
    "two that never meet": "hjälpmedel transport ",
    "half a common word": "läk",
    "common and half a word": "patient läkem",
}

FILL = """
insert into deviations (county_id, case_number, submission, state, revision, event_kind, occurred_on,
    sender_branch_id, sender_unit_id, receiver_branch_id, receiver_unit_id, category_id, target_group, description,
    agreement_id, sent_at, updated_at, imported)
select c.id, 'BLE-2026-' || lpad(upper(to_hex(n)), 6, '0'), gen_random_uuid(), 'closed', 1, 'adverse_event', '2026-01-01',
    s.branch_id, s.id, r.branch_id, r.id, (select min(id) from categories), 'older', 'x',
    (select min(id) from agreements), timestamptz '2016-01-01' + n * interval '10 minutes', now(), false
from generate_series(1, :cases) n
cross join (select id from counties) c
join lateral (select id, branch_id from (select id, branch_id, row_number() over (order by id) as k, count(*) over () as m
    from units where branch_id <> :region) u where k = 1 + n % m) s on true
join lateral (select id, branch_id from (select id, branch_id, row_number() over (order by id) as k, count(*) over () as m
    from units where branch_id = :region) u where k = 1 + n % m) r on true
"""
# Twenty-two words more, as Zipf has them, beside those that are named.
WORDS = """
insert into case_words (deviation_id, branch_id, word, unit_id)
select distinct d.id, v.branch_id, w.word,
    case v.branch_id when d.sender_branch_id then d.sender_unit_id else d.receiver_unit_id end
from deviations d
cross join lateral (
    select 'w' || floor(power(40000, random() + 0 * d.id))::int as word from generate_series(1, 22)
    union all select key from json_each_text(cast(:often as json)) where random() * 1000 + 0 * d.id < value::float
    union all select (array[:a, :b])[1 + d.id % 2] where random() + 0 * d.id < 0.1
) w
cross join lateral unnest(d.visible_branches) as v (branch_id)
where d.id between :first and :last
"""


@contextmanager
def house() -> Iterator[None]:
    """A county with all its cases, in a database that is gone afterwards."""
    state = Path(tempfile.mkdtemp(prefix="samsvar-bench-"))
    servers = embedded.start(state, disposable=True)
    try:
        migrate.upgrade(servers.admin_url, web_password="")
        db.use(servers.admin_url)
        with clock.at(datetime(2022, 12, 1, tzinfo=UTC)), db.unit_of_work(db.OPERATOR) as session:
            actions.import_directory(session, COUNTIES / "blekinge", "BLE")
        fill(servers.admin_url)
        db.engine().dispose()
        db.use(servers.database_url)
        yield
        db.engine().dispose()
    finally:
        embedded.remove(state)


def fill(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        region = connection.scalar(text("select id from branches where hsa_id = 'SE2321000081-B000'"))
        connection.execute(text("set synchronous_commit = off"))
        connection.execute(text("set work_mem = '256MB'"))
        connection.execute(text("set maintenance_work_mem = '1GB'"))
        connection.execute(
            text("set session_replication_role = replica")
        )  # the foreign key's look at each word
        connection.execute(text("alter table deviations enable always trigger visible_branches"))
        connection.execute(text("drop index ix_case_words_word"))
        connection.execute(text(FILL), {"cases": CASES, "region": region})
        for first in range(1, CASES + 1, 50_000):
            connection.execute(
                text(WORDS),
                {
                    "often": json.dumps(OFTEN),
                    "a": NEVER[0],
                    "b": NEVER[1],
                    "first": first,
                    "last": first + 49_999,
                },
            )
        connection.execute(
            text(
                "create index ix_case_words_word on case_words (branch_id, word, deviation_id) include (unit_id)"
            )
        )
        connection.execute(
            text(
                "insert into sides (deviation_id, branch_id, reporter_id)"
                " select d.id, d.sender_branch_id, p.id from deviations d, people p where p.email = :who"
                " and d.sender_branch_id = (select branch_id from units where hsa_id = 'SE2120000852-V020') limit 300"
            ),
            {"who": REPORTER},
        )
        connection.execute(text("vacuum (analyze) case_words"))
        connection.execute(text("vacuum (analyze) deviations"))
        connection.execute(text("analyze"))
        rows, size = connection.execute(
            text(
                "select reltuples::bigint, pg_size_pretty(pg_total_relation_size(oid)) from pg_class"
                " where relname = 'case_words'"
            )
        ).one()
        OUT.print(f"{CASES:,} cases, {rows:,} words, {size}")
    engine.dispose()


def measured(do: Callable[[], object]) -> tuple[float, float]:
    """p50 and p95 in milliseconds, once warm."""
    for _ in range(3):
        do()
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        do()
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return statistics.median(took), took[math.ceil(0.95 * len(took)) - 1]


def as_person(email: str) -> Identity:
    with db.unit_of_work(db.NOBODY) as session:
        return accounts.stand_in(session, email)


def within(me: Identity, do: Callable[[Session], object]) -> Callable[[], object]:
    """Each time in a unit of work of its own, as a request has it."""

    def once() -> object:
        with db.unit_of_work(me.scope) as session:
            return do(session)

    return once


def main() -> int:
    table = Table("Who", "Search", "Hits", "p50 ms", "p95 ms", "p50 ÷ bare", title="Search")
    results, slow = [], []
    with house():
        for who in (SAFETY, WARD, REPORTER):
            me = as_person(who)
            bare, bare95 = measured(
                within(me, lambda s: s.execute(text("select * from deviations where id = 4711")).all())
            )
            table.add_row(who, "(one case, bare)", "", f"{bare:.1f}", f"{bare95:.1f}", "1")
            for name, typed in QUERIES.items():
                with db.unit_of_work(me.scope) as session:
                    hits = finding.by_words(session, me, typed).total
                p50, p95 = measured(within(me, lambda s, t=typed, me=me: finding.by_words(s, me, t)))  # type: ignore[misc]
                results.append(
                    {
                        "who": who,
                        "query": name,
                        "hits": hits,
                        "p50_ms": p50,
                        "p95_ms": p95,
                        "ratio": p50 / bare,
                    }
                )
                if p95 > LIMIT_MS:
                    slow.append((who, name, p95))
                table.add_row("", name, str(hits), f"{p50:.1f}", f"{p95:.1f}", f"{p50 / bare:.0f}")
    OUT.print(table)
    for who, name, p95 in slow:
        OUT.print(f"over {LIMIT_MS:.0f} ms: {name}, {who}: {p95:.0f}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
