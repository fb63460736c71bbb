"""Logging in and out, passwords, one-time links, and one's own sessions."""

from backend.accounts.actions.links import LIVES, ask_reset, invite, living_link, token_of, use_link
from backend.accounts.actions.log_in import choose, log_in, log_out, stand_in, start
from backend.accounts.actions.passwords import change_password, has_password, hash_password, set_password
from backend.accounts.actions.sessions import end_other_sessions, end_session
from backend.accounts.actions.throttle import FREE_TRIES, NETWORK_FREE_TRIES, WINDOW
from backend.accounts.actions.throttle import prune as prune_tries

__all__ = [
    "FREE_TRIES",
    "LIVES",
    "NETWORK_FREE_TRIES",
    "WINDOW",
    "ask_reset",
    "change_password",
    "choose",
    "end_other_sessions",
    "end_session",
    "has_password",
    "hash_password",
    "invite",
    "living_link",
    "log_in",
    "log_out",
    "prune_tries",
    "set_password",
    "stand_in",
    "start",
    "token_of",
    "use_link",
]
