"""How grave a risk is judged to be, by one party for itself: severity times probability, each 1–4 (Handbok för
riskanalys och händelseanalys). The county's agreement says from which score a closer look is due.
"""

from collections.abc import Mapping

THRESHOLD = 8
HIGHEST = 16


def score(severity: int | None, probability: int | None) -> int | None:
    """1–16, or None until both are judged."""
    return severity * probability if severity is not None and probability is not None else None


def threshold(agreed: Mapping[str, object]) -> int:
    """The score from which the agreement asks for a closer look; 8 where it says nothing."""
    said = agreed.get("risk_threshold", THRESHOLD)
    return said if isinstance(said, int) else THRESHOLD
