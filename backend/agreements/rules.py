"""Who may settle what a branch has for rules of its own."""

from backend.access import Identity, Permission


def may_route(me: Identity) -> bool:
    """Where cases go is for the one who leads the whole branch's handling; everybody may read the rules."""
    return me.everywhere(Permission.MANAGE)
