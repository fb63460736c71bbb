"""Routing rules as sentences. Codes are for machines; no page shows one."""

from collections.abc import Callable

from backend.core.text import gettext as _

FROM_CARE_LEVEL: dict[str, Callable[[], str]] = {
    "inpatient": lambda: _("från slutenvården"),
    "psychiatry": lambda: _("från psykiatrin"),
    "primary_care": lambda: _("från primärvården"),
    "home_nursing": lambda: _("från hemsjukvården"),
    "home_care": lambda: _("från hemtjänsten"),
    "residential_care": lambda: _("från boenden"),
    "rehabilitation": lambda: _("från rehabiliteringen"),
    "social_services": lambda: _("från socialtjänsten"),
    "school_health": lambda: _("från elevhälsan"),
    "ambulance": lambda: _("från ambulansen"),
    "other": lambda: _("från övriga verksamheter"),
}
ABOUT_TARGET_GROUP: dict[str, Callable[[], str]] = {
    "children_youth": lambda: _("som gäller barn och unga"),
    "adults": lambda: _("som gäller vuxna"),
    "older": lambda: _("som gäller äldre"),
}


def which(category: str | None, target_group: str | None, care_level: str | None) -> str:
    """The cases a rule speaks of: "ärenden från hemsjukvården om ”Läkemedel” som gäller äldre"."""
    parts = [
        FROM_CARE_LEVEL[care_level]() if care_level else None,
        _("om ”{category}”").format(category=category) if category else None,
        ABOUT_TARGET_GROUP[target_group]() if target_group else None,
    ]
    return " ".join([_("ärenden"), *(part for part in parts if part)])


def because(category: str | None, target_group: str | None, care_level: str | None) -> str:
    """Why a unit is suggested: "eftersom ärenden om ”Läkemedel” går dit"."""
    return _("eftersom {which} går dit").format(which=which(category, target_group, care_level))


def because_intake() -> str:
    return _("eftersom det är verksamhetens väg in")
