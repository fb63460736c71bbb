"""The letter that asks a county's coordinators to look at next year's days off."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from backend.core import mail
from backend.core.text import gettext as _
from backend.settings import settings


def send_calendar_check(to: Sequence[str], county: str, year: int, key: str) -> None:
    """Hand the letter over. `key` names the debt, so that every try carries the same Message-ID."""
    words = {"county": county, "year": year, "link": f"{settings().base_url}/agreements"}
    body = _(
        "Hej!\n\nSnart är det {year}. Har {county} dagar då ni inte räknar med att ärenden kvitteras och besvaras, "
        "till exempel klämdagar? Lägg till dem i överenskommelsen innan året börjar, så blir svarsfristerna rätt.\n\n"
        "Helgdagar, midsommarafton, julafton och nyårsafton är redan borträknade. Är allt som det ska trycker "
        "du på Kontrollerad:\n{link}\n\nDet går inte att svara på mejlet.\n"
    )
    host = urlsplit(settings().base_url).hostname or "localhost"
    mail.send(
        to=to,
        subject=_("Kontrollera stängda dagar {year}").format(**words),
        body=body.format(**words),
        message_id=f"<{key}@{host}>",
    )
