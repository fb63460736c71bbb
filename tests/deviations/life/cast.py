"""Who walks: people of six branches, the units they send between, and how each comes to act."""

from backend.access import Identity
from backend.accounts import actions as accounts
from backend.core import db
from backend.directory import queries as directory
from tests.deviations.life.trade import Unit, Who

CARE, IFO, REGION, OLOFSTROM, KARLSKRONA, PROVIDER = (
    "SE2120000852-V000",  # Sölvesborg, care
    "SE2120000852-I000",  # Sölvesborg, IFO: the same municipality
    "SE2321000081-B000",  # the region
    "SE2120000811-V000",  # Olofström
    "SE2120000829-V000",  # Karlskrona
    "SE0000000001-A000",  # a provider, whose unit Karlskrona has commissioned
)
_MEDICINE = ("SE2321000081-S010", "SE2321000081-S000", REGION)
UNITS = {
    unit.hsa_id: unit
    for unit in (
        Unit("SE2120000852-V010", CARE, (CARE,)),
        Unit("SE2120000852-V020", CARE, (CARE,)),
        Unit("SE2120000852-I010", IFO, (IFO,)),
        Unit("SE2321000081-S011", REGION, _MEDICINE),
        Unit("SE2321000081-S012", REGION, _MEDICINE),
        Unit("SE2321000081-N011", REGION, ("SE2321000081-N000", REGION)),
        Unit("SE2120000811-V010", OLOFSTROM, (OLOFSTROM,)),
        Unit("SE2120000829-V010", KARLSKRONA, (KARLSKRONA,)),
        Unit("SE0000000001-A010", PROVIDER, (PROVIDER,), commissioned_by=KARLSKRONA),
    )
}
GUEST = "skolskoterska@solvesborg.example"


def _at(email: str, branch: str, *roles: tuple[str, str]) -> Who:
    return Who(email, branch, roles)


CAST = (
    _at("hemsjukvard@solvesborg.example", CARE, ("reporter", "SE2120000852-V010"), ("handler", "SE2120000852-V010")),
    _at("hemtjanst@solvesborg.example", CARE, ("reporter", "SE2120000852-V020")),
    _at("chef@solvesborg.example", CARE, ("manager", CARE)),
    _at("mas@solvesborg.example", CARE, ("safety", ""), ("handler", "SE2120000852-F000")),
    _at("registrator@solvesborg.example", CARE, ("registrar", "")),
    _at("ifo@solvesborg.example", IFO, ("reporter", "SE2120000852-I010"), ("handler", "SE2120000852-I010")),
    _at("sas@solvesborg.example", IFO, ("safety", "")),
    _at("avd43@region.example", REGION, ("reporter", "SE2321000081-S011"), ("handler", "SE2321000081-S011")),
    _at("chef.medicin@region.example", REGION, ("manager", "SE2321000081-S010")),
    _at("vardcentral@region.example", REGION, ("reporter", "SE2321000081-N011"), ("handler", "SE2321000081-N011")),
    _at("patientsakerhet@region.example", REGION, ("safety", ""), ("handler", "SE2321000081-F000")),
    _at("registrator@region.example", REGION, ("registrar", "")),
    _at("hemsjukvard@olofstrom.example", OLOFSTROM, ("reporter", "SE2120000811-V010"), ("handler", "SE2120000811-V010")),
    _at("mas@olofstrom.example", OLOFSTROM, ("safety", "")),
    _at("hemsjukvard@karlskrona.example", KARLSKRONA, ("reporter", "SE2120000829-V010"), ("handler", "SE2120000829-V010")),
    _at("mas@karlskrona.example", KARLSKRONA, ("safety", "")),
    _at("hemtjanst@exempel.example", PROVIDER, ("reporter", "SE0000000001-A010")),
    _at("chef@exempel.example", PROVIDER, ("manager", PROVIDER)),
    # Those who never open a case, and one who acts in a branch only while invited there.
    _at("samordnare@lan.example", ""),
    _at("admin@solvesborg.example", ""),
    _at("granskare@region.example", ""),
    Who(GUEST, CARE, (), guest=True),
)  # fmt: skip


class Identities:
    """The identities of the cast; a guest's is asked for anew, since it comes and goes."""

    def __init__(self) -> None:
        self._known: dict[Who, Identity] = {}

    def of(self, who: Who) -> Identity | None:
        if who not in self._known:
            with db.unit_of_work(db.NOBODY) as session:
                person = directory.person_by_email(session, who.email)
                assert person is not None
                key = f"branch:{who.branch}"
                places = [place.key for place in directory.places(session, person.id)]
                if who.branch and key not in places:
                    assert who.guest, who.email
                    return None
                me = accounts.stand_in(session, who.email, key if who.branch else None)
            if who.guest:
                return me
            self._known[who] = me
        return self._known[who]
