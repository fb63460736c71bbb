"""What the directory's words are on the screen."""

from collections.abc import Callable

from backend.access import Role
from backend.core.text import gettext as _

ROLES: dict[Role, Callable[[], str]] = {
    Role.REPORTER: lambda: _("Rapportör"),
    Role.HANDLER: lambda: _("Utredare"),
    Role.MANAGER: lambda: _("Chef"),
    Role.SAFETY: lambda: _("Kvalitet och patientsäkerhet (MAS, MAR, SAS)"),
    Role.REGISTRAR: lambda: _("Registrator"),
    Role.COORDINATOR: lambda: _("Länssamordnare"),
    Role.GROUP_MEMBER: lambda: _("Gruppledamot"),
    Role.ADMINISTRATOR: lambda: _("Administratör"),
    Role.AUDITOR: lambda: _("Granskare"),
    Role.CO_INVESTIGATOR: lambda: _("Medutredare"),
}

MAY: dict[Role, Callable[[], str]] = {
    Role.REPORTER: lambda: _("rapporterar från enheten och följer det egna"),
    Role.HANDLER: lambda: _("ser och besvarar enhetens ärenden"),
    Role.MANAGER: lambda: _("som utredare, och fördelar och utser ersättare"),
    Role.SAFETY: lambda: _("ser hela verksamhetens ärenden och siffror"),
    Role.REGISTRAR: lambda: _("diarieför verksamhetens ärenden"),
    Role.ADMINISTRATOR: lambda: _("sköter enheter, personer och uppdrag, ser inga ärenden"),
    Role.AUDITOR: lambda: _("granskar åtkomstloggen"),
}

CHANGES: dict[str, Callable[[], str]] = {
    "added": lambda: _("Enheten lades till"),
    "changed": lambda: _("Uppgifterna ändrades"),
    "moved": lambda: _("Enheten flyttades"),
    "ended": lambda: _("Enheten avslutades"),
    "merged": lambda: _("Enheten gick upp i en annan"),
    "reopened": lambda: _("Enheten öppnades igen"),
    "intake": lambda: _("Verksamhetens väg in ändrades"),
}

FIELDS: dict[str, Callable[[], str]] = {
    "name": lambda: _("Namn"),
    "care_level": lambda: _("Vårdnivå"),
    "telephone": lambda: _("Telefon"),
    "kind": lambda: _("Slag"),
    "parent": lambda: _("Ligger under"),
    "successor": lambda: _("Tog över"),
    "intake": lambda: _("Väg in"),
    "ended_on": lambda: _("Avslutad"),
    "commissioned_by": lambda: _("Uppdragsgivare"),
}
