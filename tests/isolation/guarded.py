"""The table of guards: who may ask for what. A new route is one line here.

Case routes tell which roles may use them on the sender's and on the receiver's side of a case they see, and whether
the reporter and a co-investigator of that case may too. The other routes tell which roles they open to, and what the
rest are answered: 403, or 404 where even that there is something would tell too much.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import APIRoute

# One person of each role; all but those above branches act in the care branch of Sölvesborg.
PEOPLE: dict[str, tuple[str, ...]] = {
    "reporter": ("hemtjanst@solvesborg.example",),
    "handler": ("hemsjukvard@solvesborg.example",),
    "manager": ("chef@solvesborg.example",),
    "safety": ("mas@solvesborg.example",),
    "registrar": ("registrator@solvesborg.example",),
    "co_investigator": ("rehab@solvesborg.example",),
    "coordinator": ("samordnare@lan.example",),
    "group_member": ("lsvo@lan.example",),
    "administrator": ("admin@solvesborg.example",),
    "auditor": ("granskare@region.example",),
}
EVERYBODY = frozenset(PEOPLE)
HANDLERS = frozenset({"handler", "manager", "safety"})
MANAGERS = frozenset({"manager", "safety"})
SAFETY = frozenset({"safety"})
REPORTERS = HANDLERS | {"reporter"}
IN_BRANCH = REPORTERS | {"registrar", "co_investigator"}
ADMINISTRATOR = frozenset({"administrator"})
NOBODY: frozenset[str] = frozenset()

# Who sees which case. `own` is filed by the handler, `reported` by the reporter; the rest of the cases were sent to
# the care branch and are there, were there and left, or are not its business.
SEES = {
    "own": HANDLERS | {"registrar", "co_investigator"},
    "reported": MANAGERS | {"reporter", "registrar"},
    "sent_to_me": HANDLERS | {"registrar"},
    "left": NOBODY,
    # The same municipality's other circles: individual and family services, and school health, which files and is
    # written to.
    "family_services": NOBODY,
    "school_health": NOBODY,
    "to_school_health": NOBODY,
    "foreign": NOBODY,
    "missing": NOBODY,
}
FILED_BY = {"own": "handler", "reported": "reporter"}


@dataclass(frozen=True)
class Right:
    sender: frozenset[str] = NOBODY
    receiver: frozenset[str] = NOBODY
    reporter: bool = False
    invited: bool = False
    # Who is let in where the case has left one's branch, to whom it otherwise is as one that is not there.
    left: frozenset[str] = NOBODY

    def holds(self, role: str, state: str) -> bool:
        if state == "left":
            return role in self.left
        if state == "sent_to_me":
            return role in self.receiver
        filed = self.reporter and FILED_BY.get(state) == role
        return role in self.sender or filed or (self.invited and role == "co_investigator" and state == "own")


SEEN = Right(EVERYBODY, EVERYBODY, reporter=True, invited=True)
BY_RECEIVER = Right(receiver=HANDLERS)
BY_SENDER = Right(sender=HANDLERS)
OF_REPORT = Right(sender=HANDLERS, reporter=True)
EITHER = Right(HANDLERS, HANDLERS)
AT_WORK = Right(HANDLERS, HANDLERS, reporter=True, invited=True)
MANAGED = Right(MANAGERS, MANAGERS)
OF_SAFETY = Right(SAFETY, SAFETY)
OF_MASKED = Right(SAFETY, SAFETY, left=SAFETY)
MASKING = Right(SAFETY, SAFETY, reporter=True)
REGISTERED = Right(frozenset({"registrar"}), frozenset({"registrar"}))
# The blocks that a page sends alone, beside `main`, which every page has: as its parts ask for them (hx-target).
BLOCKS = {
    "/deviations/{case_number}": ("act", "own"),
    "/deviations/{case_number}/answer": ("draft_status",),
    "/deviations": ("cases",),
    "/deviations/new": ("draft_status",),
    "/deviations/suggestion": ("suggested",),
    "/agreements/new": ("preview",),
}
# Who may read the copy sealed for their branch when a case left it.
READ_COPIES = frozenset({"registrar", "safety"})

# By what follows /deviations/{case_number}.
CASE: dict[str, Right] = {
    "": SEEN,
    ".pdf": SEEN,
    "/print": SEEN,
    # A look at what one has typed, before it is sent: nothing of the case but what its page shows.
    "/look/{verb}": SEEN,
    "/answer": BY_RECEIVER,
    "/answer/change": BY_RECEIVER,
    "/answer/draft": BY_RECEIVER,
    "/answer/propose": BY_RECEIVER,
    "/answer/give-back": BY_RECEIVER,
    "/acknowledge": BY_RECEIVER,
    "/acknowledge/change": BY_RECEIVER,
    "/review": BY_RECEIVER,
    "/question": BY_RECEIVER,
    "/question/change": BY_RECEIVER,
    "/delay-notice": BY_RECEIVER,
    "/delay-notice/change": BY_RECEIVER,
    "/redirect": BY_RECEIVER,
    "/redirect/change": BY_RECEIVER,
    "/decline": BY_RECEIVER,
    "/decline/change": BY_RECEIVER,
    "/reply": OF_REPORT,
    "/reply/change": OF_REPORT,
    "/verdict": OF_REPORT,
    "/verdict/change": OF_REPORT,
    "/withdraw": OF_REPORT,
    "/confirm-redirect": BY_SENDER,
    "/confirm-redirect/change": BY_SENDER,
    "/resend": BY_SENDER,
    "/resend/change": BY_SENDER,
    "/resume": EITHER,
    "/assign": EITHER,
    "/invite": EITHER,
    "/end-invitation": EITHER,
    "/risk": EITHER,
    "/quiet": EITHER,
    "/unquiet": EITHER,
    "/settle": MANAGED,
    "/settle/change": MANAGED,
    "/reopen": MANAGED,
    "/reopen/change": MANAGED,
    "/mask": MASKING,
    "/mask/check": MASKING,
    "/masked": OF_MASKED,
    "/flag": OF_SAFETY,
    "/take-over": OF_SAFETY,
    "/register": REGISTERED,
    "/note": AT_WORK,
    "/reference": AT_WORK,
    "/link": AT_WORK,
    "/unlink": AT_WORK,
    "/patient-identified": Right(HANDLERS, HANDLERS, reporter=True),
}


@dataclass(frozen=True)
class Door:
    """A route that shows no single case: to whom it opens, and what others are answered."""

    opens_to: frozenset[str]
    others: int = 403
    public: bool = False


ALL, PUBLIC = Door(EVERYBODY), Door(EVERYBODY, public=True)
# What is one's own, or nobody's: whoever asks for another's is told that there is nothing.
ONES_OWN = Door(NOBODY, 404)
ADMINISTERED, ROUTED = Door(ADMINISTRATOR), Door(SAFETY)
COORDINATED = Door(frozenset({"coordinator"}))

# By the beginning of the path; the longest that fits counts.
DOORS: dict[str, Door] = {
    "/": ALL,
    "/help": PUBLIC,
    "/accessibility": PUBLIC,
    "/healthz": PUBLIC,
    "/readyz": PUBLIC,
    "/login": PUBLIC,
    "/login/link/": Door(NOBODY, 404, public=True),
    "/logout": PUBLIC,
    # A calendar program cannot log in; the address is the secret.
    "/calendar/": Door(NOBODY, 404, public=True),
    "/demo/post": PUBLIC,
    "/directory": ALL,
    "/directory/branches/": ONES_OWN,
    "/directory/health": Door(MANAGERS | ADMINISTRATOR),
    "/directory/organisation": ADMINISTERED,
    "/directory/people": ADMINISTERED,
    "/directory/assignments/": ADMINISTERED,
    "/directory/substitutes/": ADMINISTERED,
    "/directory/units": ADMINISTERED,
    "/directory/import": ADMINISTERED,
    "/settings": ALL,
    "/settings/calendar": Door(IN_BRANCH, 404),
    "/settings/sessions/{": ONES_OWN,
    "/settings/substitutes": Door(IN_BRANCH, 404),
    "/settings/substitutes/{": ONES_OWN,
    "/routing": ROUTED,
    "/agreements": ALL,
    "POST /agreements": COORDINATED,
    "/agreements/new": COORDINATED,
    "/agreements/check": COORDINATED,
    "/agreements/calendar": COORDINATED,
    "/agreements/{": ONES_OWN,
    "POST /agreements/{": ONES_OWN,
    "/inbox": ALL,
    "/deviations": ALL,
    "POST /deviations": Door(REPORTERS),
    "/deviations/new": Door(REPORTERS),
    "/deviations/draft": Door(REPORTERS),
    "/deviations/draft/discard": ALL,
    "/deviations/check": Door(REPORTERS),
    "/deviations/bulk": Door(HANDLERS),
    "/deviations/views": Door(IN_BRANCH),
    "/deviations/views/{": ONES_OWN,
    "/deviations/batches/{": ONES_OWN,
    "/search": Door(IN_BRANCH),
    "/register": Door(frozenset({"safety", "registrar"})),
    "/register/copies/": ONES_OWN,
    "/reviews": Door(MANAGERS),
    "/figures": Door(HANDLERS),
    # Rows outside row-level security: whoever answers for none is not told that there are any.
    "/jobs": Door(ADMINISTRATOR | {"coordinator"}, 404),
    "/summaries": ALL,
}


def door_of(method: str, path: str) -> Door | None:
    """The line of the table that fits best; None for a route that nobody has put there."""
    fitting = [
        begin
        for begin in DOORS
        if f"{method} {path}".startswith(begin)
        or (path == begin if begin == "/" else path.startswith(begin) and not begin.startswith("POST"))
    ]
    if not fitting:
        return None
    return DOORS[max(fitting, key=lambda begin: (len(begin.removeprefix("POST ")), " " in begin))]


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of every route of the app, mounted files aside."""

    def walk(found: object) -> Iterator[APIRoute]:
        for route in found:  # type: ignore[attr-defined]
            if isinstance(route, APIRoute):
                yield route
            elif hasattr(route, "original_router"):
                yield from walk(route.original_router.routes)
            elif getattr(route, "routes", None):
                yield from walk(route.routes)

    for route in walk(app.routes):
        for method in sorted(route.methods):
            yield method, route.path
