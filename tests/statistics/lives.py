"""Whole lives of cases, drawn at random, and as the actions would leave them in the tables."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, text

from tests.statistics.reckoning import EXTERNAL, SWEDEN, Case, Leg, end_of


def _minutes(start: datetime, least: int, most: int) -> st.SearchStrategy[datetime]:
    return st.integers(least, most).map(lambda n: start + timedelta(minutes=n))


# Three weeks of February, and often an hour on either side of its first midnight in Sweden, where UTC still says
# otherwise.
_SENT = _minutes(datetime(2024, 2, 1, tzinfo=UTC), 0, 21 * 24 * 60) | _minutes(
    datetime(2024, 2, 1, tzinfo=SWEDEN), -90, 90
)
CUT_OFFS = _minutes(datetime(2024, 2, 10, tzinfo=UTC), 0, 35 * 24 * 60) | st.dates(
    date(2024, 2, 3), date(2024, 3, 15)
).map(end_of)
HOME, WARD = ["SE2120000852-V010", "SE2120000852-V020"], ["SE2321000081-S011", "SE2321000081-N015"]
_OUTSIDE = [EXTERNAL]
# Who else may come to hold a case.
_ELSEWHERE = [*WARD, *HOME, "SE2120000829-V010", "SE2120000852-I010", EXTERNAL]

# What may happen to a case where it stands; each may as well be the last that happens.
_NEXT = {
    "held": [
        "acknowledge",
        "answer",
        "answer",
        "redirect",
        "redirect",
        "dispute",
        "follow",
        "decline",
        "dispute",
        "withdraw",
        "dispute",
    ],
    "declined": ["resend", "resend", "withdraw"],
    "disputed": ["answer", "disagree", "disagree_silently", "disagree"],
    "answered": ["accept_silently", "accept", "return", "accept_silently"],
    "closed": ["reopen"],
    "withdrawn": [],
}
_LEADS_TO = {
    "answer": "answered",
    "accept": "closed",
    "accept_silently": "closed",
    "disagree": "closed",
    "disagree_silently": "closed",
    "withdraw": "withdrawn",
}


@st.composite
def _cases(draw: st.DrawFn, *beginning: str) -> Case:
    """A whole life, turn after turn; with the turns given first."""
    ways = [(HOME, WARD), (WARD, HOME), (HOME, WARD), (_OUTSIDE, WARD), (HOME, _OUTSIDE)]
    sender, receiver = (draw(st.sampled_from(units)) for units in draw(st.sampled_from(ways)))
    sent_at = draw(_SENT)
    good = draw(st.integers(0, 7)) == 7
    last_day = sent_at.astimezone(SWEDEN).date() + timedelta(days=draw(st.integers(0, 12)))
    own = (
        {"SE2120000852-V010", "SE2120000852-V020"}
        if sender in HOME
        else {*WARD}
        if sender in WARD
        else {sender}
    )
    others = [unit for unit in _ELSEWHERE if unit not in own]
    first: dict[str, datetime] = {}
    legs, endings, state, now = [Leg(receiver, sent_at)], [], "held", sent_at
    given = iter(beginning)
    while _NEXT[state] and (turn := next(given, None) or draw(st.sampled_from([None, *_NEXT[state]]))):
        now += timedelta(minutes=draw(st.integers(0, 4 * 24 * 60)))
        # Some things happen at the very moment the due day is over, and some just before it.
        if now < end_of(last_day) and draw(st.integers(0, 5)) == 5:
            now = end_of(last_day) - timedelta(microseconds=draw(st.integers(0, 1)))
        # A second decline is a dispute.
        if turn == "dispute" or (turn == "decline" and any(leg.ended_how == "declined" for leg in legs)):
            state = "disputed"
            continue
        if turn in ("redirect", "follow", "resend", "decline"):
            if turn != "resend":
                how = {"redirect": "redirected", "follow": "followed", "decline": "declined"}[turn]
                legs[-1] = replace(legs[-1], ended_at=now, ended_how=how)
            if turn != "decline":
                legs.append(Leg(draw(st.sampled_from(others)), now))
            first.setdefault("acknowledge", now)
        if turn == "withdraw" and state == "held":
            legs[-1] = replace(legs[-1], ended_at=now, ended_how="withdrawn")
        if _LEADS_TO.get(turn) == "closed" or turn == "reopen":
            endings.append((now, turn))
        first.setdefault(turn, now)
        state = "declined" if turn == "decline" else _LEADS_TO.get(turn, "held")
    return Case(
        sender=sender,
        receiver=receiver,
        category=draw(st.sampled_from(["medication", "medication.list", "transport"])),
        sent_at=sent_at,
        due_on=None if good else last_day,
        good_example=good,
        imported=draw(st.booleans()),
        acknowledged_at=first.get("acknowledge"),
        answered_at=first.get("answer"),
        accepted_at=first.get("accept"),
        withdrawn_at=first.get("withdraw"),
        legs=tuple(legs),
        endings=tuple(endings),
    )


# The turns that few lives take are in every set, so that no luck is needed to meet them.
SETS = st.tuples(
    _cases("answer", "accept"),
    _cases("answer", "accept_silently"),
    _cases("dispute", "disagree"),
    _cases("decline"),
    _cases("withdraw"),
    st.lists(_cases(), max_size=8),
).map(lambda drawn: [*drawn[:-1], *drawn[-1]])


_INSERT = text(
    "insert into deviations (county_id, case_number, submission, state, revision, event_kind, occurred_on,"
    " sender_branch_id, sender_unit_id, receiver_branch_id, receiver_unit_id, category_id, target_group,"
    " description, agreement_id, sent_at, clock_started_at, due_on, acknowledged_at, answered_at, accepted_at,"
    " closed_at, withdrawn_at, declined_at, disagreed_at, reopened_at, accepted_by_silence, updated_at, imported)"
    " select c.county_id, :number, :submission, 'sent', 1, :kind, '2024-01-01', s.branch_id, s.id, r.branch_id,"
    " r.id, c.id, 'older', 'x', (select min(id) from agreements), :sent_at, :sent_at, :due_on, :acknowledged_at,"
    " :answered_at, :accepted_at, :closed_at, :withdrawn_at, :declined_at, :disagreed_at, :reopened_at, :silent,"
    " :sent_at, :imported"
    " from units s, units r, categories c"
    " where s.hsa_id = :sender and r.hsa_id = :holder and c.code = :category returning id"
)
_INSERT_LEG = text(
    "insert into handovers (deviation_id, position, branch_id, unit_id, sent_at, acknowledge_due_on, ended_at,"
    " ended_how) select :id, :position, branch_id, id, :sent_at, '2024-01-01', :ended_at, :ended_how"
    " from units where hsa_id = :unit"
)
_INSERT_EVENT = text(
    "insert into events (deviation_id, verb, to_state, at, recorded_at, branch_id, unit_id)"
    " select :id, :verb, 'closed', :at, :at, branch_id, id from units where hsa_id = :unit"
)


def _columns(case: Case) -> dict[str, Any]:
    """What the actions leave in the columns of the case: its present, and little of its past."""
    ended = case.endings[-1] if case.endings and case.endings[-1][1] != "reopen" else None
    return {
        "holder": case.route[-1].unit,
        "closed_at": ended[0] if ended else case.closed_at,
        "disagreed_at": ended[0] if ended and ended[1].startswith("disagree") else None,
        "reopened_at": max((at for at, how in case.endings if how == "reopen"), default=None),
        "silent": any(how == "accept_silently" for _at, how in case.endings),
        "declined_at": next((leg.ended_at for leg in case.legs if leg.ended_how == "declined"), None),
    }


def insert(connection: Connection, cases: list[Case]) -> None:
    for number, case in enumerate(cases):
        kind = "good_example" if case.good_example else "risk"
        id_ = connection.scalar(
            _INSERT,
            {
                "number": str(number),
                "submission": uuid.uuid4(),
                "kind": kind,
                **vars(case),
                **_columns(case),
            },
        )
        connection.execute(
            _INSERT_LEG,
            [{"id": id_, "position": place, **vars(leg)} for place, leg in enumerate(case.route, start=1)],
        )
        if case.endings:
            connection.execute(
                _INSERT_EVENT,
                [{"id": id_, "verb": how, "at": at, "unit": case.sender} for at, how in case.endings],
            )


def with_an_external_party(connection: Connection) -> None:
    connection.execute(
        text(
            "with o as (insert into organisations (county_id, hsa_id, name, kind)"
            " select id, 'EXTERNAL-O', 'Annat sjukhus', 'external' from counties returning id),"
            " b as (insert into branches (organisation_id, hsa_id, name) select id, 'EXTERNAL-B', 'x' from o"
            " returning id)"
            " insert into units (branch_id, hsa_id, name, kind, care_level, intake, path)"
            " select id, 'EXTERNAL', 'x', 'ward', 'other', false, '{}' from b"
        )
    )
