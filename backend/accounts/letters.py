"""The letters with a one-time link. They hold the link and nothing about anybody."""

from urllib.parse import urlsplit

from backend.core import mail
from backend.core.text import gettext as _
from backend.settings import settings


def send(purpose: str, email: str, link: str, until: str, key: str) -> None:
    """Hand over the letter of that purpose. `key` names the debt, so that every try carries the same Message-ID."""
    letters = {
        "invitation": (
            _("Välkommen till Samsvar"),
            _(
                "Hej!\n\nDu har fått ett uppdrag i Samsvar, där vård och omsorg rapporterar avvikelser till "
                "varandra och besvarar dem.\n\nVälj ett lösenord här, och logga sedan in med det:\n{link}\n\n"
                "Länken fungerar en gång, till och med {until}. Väntade du dig inte det här? Då behöver du "
                "inte göra något."
            ),
        ),
        "reset": (
            _("Välj ett nytt lösenord i Samsvar"),
            _(
                "Hej!\n\nNågon har bett om ett nytt lösenord för den här adressen. Var det du? Välj det här:\n"
                "{link}\n\nLänken fungerar en gång, till och med {until}. Var det inte du? Då behöver du inte "
                "göra något, och ditt lösenord gäller som förut."
            ),
        ),
    }
    subject, body = letters[purpose]
    host = urlsplit(settings().base_url).hostname or "localhost"
    foot = _("Det går inte att svara på mejlet.")
    mail.send(
        to=[email],
        subject=subject,
        body=f"{body.format(link=link, until=until)}\n\n{foot}\n",
        message_id=f"<{key}@{host}>",
    )
