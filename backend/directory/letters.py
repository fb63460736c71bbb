"""The letters to an organisation about its own units. They name units and an address, and nothing of a case."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from backend.core import mail
from backend.core.text import gettext as _
from backend.settings import settings


def send(kind: str, to: Sequence[str], key: str, **words: str) -> None:
    """Hand over the letter of that kind. `key` names the debt, so that every try carries the same Message-ID."""
    letters = {
        "unreachable": (
            _("Mejl till {email} kommer tillbaka"),
            _(
                "Mejlen till {title} ({email}) har kommit tillbaka {count} i rad, senast {day}. Personen tar emot "
                "ärenden för {units}.\n\nRätta adressen, eller ge uppdraget till någon annan."
            ),
        ),
        "no_receiver": (
            _("{units} saknar mottagare"),
            _(
                "Ett ärende har kommit till {units}, där ingen har i uppdrag att ta emot. Tills någon får "
                "uppdraget går mejlen om ärendet till er.\n\nGe någon uppdraget som utredare eller chef."
            ),
        ),
        "no_substitutes": (
            _("Enheter utan ersättare inför {season}"),
            _(
                "På de här enheterna hänger allt på en person, och ingen är utsedd att ersätta:\n\n{units}\n\n"
                "Utse ersättare innan ledigheterna börjar, så blir inga ärenden liggande."
            ),
        ),
    }
    subject, body = letters[kind]
    host = urlsplit(settings().base_url).hostname or "localhost"
    foot = _(
        "Så når ärendena fram hos er: {link}\n\nMejlet innehåller inget ur något ärende. Det går inte att svara på."
    )
    link = f"{settings().base_url}/directory/health"
    mail.send(
        to=to,
        subject=subject.format(**words),
        body=f"{body.format(**words)}\n\n{foot.format(link=link)}\n",
        message_id=f"<{key}@{host}>",
    )
