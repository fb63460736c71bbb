"""Who may settle what a county has agreed, and what a branch has for rules of its own."""

from backend.access import Identity, Permission


def may_route(me: Identity) -> bool:
    """Where cases go is for the one who leads the whole branch's handling; everybody may read the rules."""
    return me.everywhere(Permission.MANAGE)


def may_agree(me: Identity) -> bool:
    """The agreement is written by the county's coordinator, who opens no case; everybody of the county may read it."""
    return me.place == "county" and me.may(Permission.COORDINATE)
