"""The invented county of the demo: its history goes through the import, and its living cases are made by the actions
that the pages call, at the moments they would have been made.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts import actions as accounts
from backend.agreements import actions as agreements
from backend.agreements.forms import RoutingRuleForm
from backend.agreements.queries import former_routing_rules, routing_rules
from backend.core import calendar, clock, db
from backend.deviations import actions, queries
from backend.deviations.forms import (
    AnswerActionForm,
    AnswerForm,
    DeclineForm,
    MaskForm,
    QuestionForm,
    RedirectForm,
    ReportForm,
    ResendForm,
    VerdictForm,
)
from backend.deviations.models import CauseArea, Deviation, EventKind, Outcome, Reason, VerdictKind
from backend.directory import actions as directory_actions
from backend.directory import queries as directory
from backend.directory.forms import ContactForm
from backend.directory.models import County, Unit
from backend.exchange import COUNTIES
from backend.exchange import actions as exchange
from backend.summaries import actions as summaries

BLEKINGE = COUNTIES / "blekinge"
JOINED = 400


def fill() -> None:
    """Load the county, its history and some living cases; what an interrupted start left out, the next one adds."""
    # The county joined a while ago, so that its people were at work when the living cases were made.
    with _at(JOINED), db.unit_of_work(db.OPERATOR) as session:
        exchange.import_directory(session, BLEKINGE, "BLE")
        session.flush()
        for hsa_id, telephone in TELEPHONES.items():
            session.execute(update(Unit).where(Unit.hsa_id == hsa_id).values(telephone=telephone))
        for year in (2023, 2024):
            exchange.import_deviations(session, BLEKINGE / f"deviations-{year}.csv", "BLE")
    _settle_rules()
    _settle_last_told()
    for number, case in enumerate(CASES, start=1):
        _live(number, case)
    with db.unit_of_work(db.COUNTER) as session:
        county_id = session.scalars(select(County.id).where(County.code == "BLE")).one()
        summaries.make_missing(session, county_id)


@dataclass(frozen=True)
class Case:
    """A living case of the demo: who filed it to whom, and how many days ago each thing was done."""

    reporter: str
    sender: str
    receiver: str
    handler: str
    category: str
    description: str
    sent: int
    acknowledged: int | None = None
    answered: int | None = None
    accepted: int | None = None
    severity: int | None = None
    event_kind: EventKind = EventKind.ADVERSE_EVENT
    target_group: str = "older"
    turns: tuple["Turn", ...] = ()


@dataclass(frozen=True)
class Turn:
    """A turn of the road: how many days ago, who, and what they did."""

    ago: int
    who: str
    does: Callable[[Session, Identity, Deviation], object]


def _asks(text: str) -> Callable[[Session, Identity, Deviation], object]:
    return lambda db, me, case: actions.question(db, me, case, QuestionForm(text=text))


def _proposes(unit: str, why: str) -> Callable[[Session, Identity, Deviation], object]:
    return lambda db, me, case: actions.redirect(db, me, case, RedirectForm(unit=unit, comment=why))


def _declines(why: str) -> Callable[[Session, Identity, Deviation], object]:
    form = DeclineForm(reason=Reason.NOT_INVOLVED, comment=why)
    return lambda db, me, case: actions.decline(db, me, case, form)


def _resends(unit: str, why: str) -> Callable[[Session, Identity, Deviation], object]:
    return lambda db, me, case: actions.resend(db, me, case, ResendForm(unit=unit, comment=why))


def _masks(slip: str) -> Callable[[Session, Identity, Deviation], object]:
    def mask(db: Session, me: Identity, case: Deviation) -> object:
        start = case.description.index(slip)
        return actions.mask(db, me, case, MaskForm(field="description", start=start, end=start + len(slip)))

    return mask


NURSE, WARD = "hemsjukvard@solvesborg.example", "avd43@region.example"
CENTRE, YOUTH, FAMILY = "vardcentral@region.example", "bup@region.example", "ifo@solvesborg.example"
KARLSKRONA = "hemsjukvard@karlskrona.example"
HOME, WARD43, TROSSO = "SE2120000852-V010", "SE2321000081-S011", "SE2321000081-N011"

# Of the series that Post- och telestyrelsen keeps for made-up numbers.
TELEPHONES = {HOME: "08-465 004 10", WARD43: "08-465 004 43", TROSSO: "08-465 004 11"}

CASES = (
    Case(
        NURSE,
        HOME,
        WARD43,
        WARD,
        "information_transfer.missing",
        "Patienten kom hem en fredagskväll utan att hemsjukvården fått veta det. Såromläggningen blev två dygn sen.",
        sent=2,
        severity=2,
    ),
    Case(
        NURSE,
        HOME,
        WARD43,
        WARD,
        "medication.list",
        "Ingen läkemedelslista följde med hem. Insulinet var ändrat under vårdtiden och dosen fick sökas per telefon.",
        sent=75,
        acknowledged=72,
        severity=3,
    ),
    Case(
        NURSE,
        HOME,
        WARD43,
        WARD,
        "discharge_planning",
        "Kommunen kallades inte till planeringen inför hemgång, trots att behovet av dubbelbemanning var känt.",
        sent=34,
        acknowledged=31,
        answered=1,
        severity=2,
    ),
    Case(
        NURSE,
        HOME,
        WARD43,
        WARD,
        "assistive_device",
        "Rullatorn som provats ut på avdelningen följde inte med hem.",
        sent=50,
        acknowledged=47,
        answered=20,
        accepted=12,
        severity=1,
    ),
    Case(
        CENTRE,
        TROSSO,
        HOME,
        NURSE,
        "information_transfer.late",
        "Rapporten om försämrad andning nådde mottagningen först tre dagar efter hembesöket.",
        sent=9,
        acknowledged=7,
        severity=2,
    ),
    Case(
        WARD,
        WARD43,
        HOME,
        NURSE,
        "good_example",
        "Hemsjukvården kom till avdelningen och träffade patienten före hemgång. Allt var på plats när hen kom hem.",
        sent=3,
        event_kind=EventKind.GOOD_EXAMPLE,
    ),
    Case(
        FAMILY,
        "SE2120000852-I010",
        "SE2321000081-S042",
        YOUTH,
        "sip",
        "Ingen kallelse till SIP kom efter utskrivningen, och familjen stod utan samordnare i fyra veckor.",
        sent=12,
        acknowledged=10,
        severity=3,
        target_group="children_youth",
    ),
    Case(
        KARLSKRONA,
        "SE2120000829-V010",
        TROSSO,
        CENTRE,
        "medical_attendance",
        "Ingen läkare kunde nås på hela eftermiddagen, och patienten fick åka in akut.",
        sent=6,
        severity=2,
    ),
    Case(
        NURSE,
        HOME,
        WARD43,
        WARD,
        "care_treatment",
        "Det framgick inte vilken konsistens maten skulle ha, och patienten satte i halsen vid första måltiden hemma.",
        sent=8,
        severity=3,
        turns=(Turn(1, WARD, _asks("Vilken dag skrevs patienten ut, och till korttids eller hem?")),),
    ),
    Case(
        KARLSKRONA,
        "SE2120000829-V010",
        WARD43,
        WARD,
        "assistive_device",
        "Lyftselen som följde med hem hade fel storlek.",
        sent=5,
        severity=1,
        turns=(Turn(1, WARD, _proposes("SE0000000001-A010", "Selen provades ut av Omsorg Exempel.")),),
    ),
    Case(
        NURSE,
        HOME,
        WARD43,
        WARD,
        "discharge_planning",
        "Planeringen ställdes in med en timmes varsel och ingen ny tid gavs.",
        sent=30,
        severity=2,
        turns=(
            Turn(27, WARD, _declines("Vi var inte kallande enhet.")),
            Turn(25, NURSE, _resends(WARD43, "Kallelsen kom från er avdelning, se planeringssystemet.")),
            Turn(2, WARD, _declines("Kallelsen skickades av en annan avdelning i vårt namn.")),
        ),
    ),
    Case(
        NURSE,
        HOME,
        WARD43,
        WARD,
        "medication.supply",
        "Rullen i dosapparaten var från före vårdtiden. Exempel Exempelsson fick gamla doser i två dagar.",
        sent=4,
        acknowledged=3,
        severity=3,
        turns=(Turn(2, "mas@solvesborg.example", _masks("Exempel Exempelsson")),),
    ),
)


# Where the region wants what the municipalities send.
RULES = (
    RoutingRuleForm(category="medication", target_group="older", unit=WARD43),
    RoutingRuleForm(category="medical_attendance", care_level="home_nursing", unit="SE2321000081-N000"),
    RoutingRuleForm(category="sip", target_group="children_youth", unit="SE2321000081-S042"),
)


def _settle_rules() -> None:
    with _at(JOINED), _acting("patientsakerhet@region.example") as (session, me):
        if not routing_rules(session, me.branches) and not former_routing_rules(session, me.branches[0]):
            for form in RULES:
                agreements.add_routing_rule(session, me, form)


# Whom each organisation with an administrator wants told last, when a case is still not answered.
LAST_TOLD = {
    "admin@solvesborg.example": "chef@solvesborg.example",
    "admin@region.example": "patientsakerhet@region.example",
}


def _settle_last_told() -> None:
    for administrator, contact in LAST_TOLD.items():
        with _at(JOINED), _acting(administrator) as (session, me):
            person = directory.person_by_email(session, contact)
            if person is not None and not directory.escalation_list(session, me.place_id):
                directory_actions.add_contact(session, me, ContactForm(person=person.id))


def _submission(number: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"samsvar-demo-{number}")


def _live(number: int, case: Case) -> None:
    """Make one case at the moments it would have been made. A step that is done already is not done again."""
    with _at(case.sent) as moment, _acting(case.reporter) as (session, me):
        deviation = actions.report(
            session,
            me,
            ReportForm(
                submission=_submission(number),
                description=case.description,
                category=case.category,
                sender_unit=case.sender,
                receiver_unit=case.receiver,
                occurred_on=clock.local(moment).date() - timedelta(days=1),
                target_group=case.target_group,
                severity=case.severity,
                event_kind=case.event_kind,
            ),
        )
        case_number, state = deviation.case_number, deviation.state
    if state != "sent":
        return
    if case.acknowledged is not None:
        with _at(case.acknowledged), _acting(case.handler) as (session, me):
            actions.acknowledge(session, me, queries.deviation(session, me, case_number))
    if case.answered is not None:
        with _at(case.answered), _acting(case.handler) as (session, me):
            actions.answer(session, me, queries.deviation(session, me, case_number), ANSWER)
    for turn in case.turns:
        with _at(turn.ago), _acting(turn.who) as (session, me):
            turn.does(session, me, queries.deviation(session, me, case_number))
    if case.accepted is not None:
        with _at(case.accepted), _acting(case.reporter) as (session, me):
            verdict = VerdictForm(verdict=VerdictKind.ACCEPTED)
            actions.judge(session, me, queries.deviation(session, me, case_number), verdict)


ANSWER = AnswerForm(
    outcome=Outcome.AGREE,
    cause_areas=[CauseArea.PROCEDURES, CauseArea.COMMUNICATION],
    cause="Hemgången beslutades sent på dagen, och rutinen för att kalla kommunen följdes inte.",
    actions=[
        AnswerActionForm(text="Checklistan för hemgång gås igenom på varje rond.", owner="Sektionsledare")
    ],
    follow_up="Tio hemgångar granskas om tre månader.",
    patient_informed=True,
)


@contextmanager
def _at(days_ago: int) -> Iterator[datetime]:
    """A morning at work, that many days ago, or the nearest working day before it."""
    day = clock.today() - timedelta(days=days_ago)
    national = calendar.Calendar()
    while not national.is_working_day(day):
        day -= timedelta(days=1)
    moment = calendar.at_hour(day, time(10, 20))
    with clock.at(moment):
        yield moment


@contextmanager
def _acting(email: str) -> Iterator[tuple[Session, Identity]]:
    """A unit of work as that person, as a page would open it."""
    with db.unit_of_work(db.NOBODY) as session:
        me = accounts.stand_in(session, email)
        db.narrow(session, me.scope)
        yield session, me
