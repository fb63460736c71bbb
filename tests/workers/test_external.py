"""A party without a login: whoever sends it a case sends it on by other ways, and is told so when it comes to that."""

import pytest
from sqlalchemy import Engine

from backend.core import clock
from backend.deviations.forms import ConfirmRedirectForm, RedirectForm, ResendForm
from tests.deviations.verbs import DECLINE, EXTERNAL, act, with_an_external_party
from tests.people import ANNA, BOB, MATS, filed
from tests.workers.day_by_day import FOOT, SENT, bodies, link, mails, outcomes, work

SEND_ON = (MATS, "Ett ärende ska skickas till en part utanför Samsvar")


def _filed() -> str:
    return filed(receiver_unit=EXTERNAL)


def _confirmed() -> str:
    number = filed()
    act("redirect", number, BOB, RedirectForm(unit=EXTERNAL, comment="Patienten kom därifrån."))
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True, comment="Ja."))
    return number


def _sent_again() -> str:
    number = filed()
    act("decline", number, BOB, DECLINE)
    act("resend", number, ANNA, ResendForm(unit=EXTERNAL, comment="Patienten kom därifrån."))
    return number


@pytest.mark.parametrize("comes", [_filed, _confirmed, _sent_again])
def test_the_senders_intake_is_told_to_send_it_on_however_it_came_to_that(
    blekinge: str, superuser: Engine, comes: object
) -> None:
    with_an_external_party(superuser)
    with clock.at(SENT):
        number = comes()  # type: ignore[operator]
        work()
    assert mails(superuser) == [SEND_ON]
    assert bodies(superuser) == [
        "Mottagaren har ingen inloggning. Skriv ut ärendet, skicka det och för in svaret."
        f"\n\n{number}\n\nÖppna ärendet: {link(number)}\n\n{FOOT}\n"
    ]


@pytest.mark.parametrize("unit", ["SE2321000081-S021", "SE2120000829-V010"])
def test_a_case_that_goes_to_a_party_with_a_login_is_nothing_to_send_on(
    blekinge: str, superuser: Engine, unit: str
) -> None:
    with_an_external_party(superuser)
    with clock.at(SENT):
        number = filed()
        act("decline", number, BOB, DECLINE)
        act("resend", number, ANNA, ResendForm(unit=unit, comment="Dit hör den."))
        work()
    assert [kind for kind, _outcome in outcomes(superuser)] == ["arrival"]
