"""Who a person is here, and what that lets them do. Vocabulary only: nothing in this room asks a database."""

from backend.access.identity import Grant, Identity
from backend.access.roles import ROLE_GRANTS, Permission, Role

__all__ = ["ROLE_GRANTS", "Grant", "Identity", "Permission", "Role"]
