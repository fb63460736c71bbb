"""What can be done to a deviation: one function per verb of the trade, `(db, me, deviation, form)`."""

from backend.deviations.actions.bulk import bulk, unacknowledge, undo
from backend.deviations.actions.calendars import close_calendar, open_calendar
from backend.deviations.actions.chasing import chase, lines_of, spread
from backend.deviations.actions.dispute import settle
from backend.deviations.actions.drafts import discard_draft, end_drafts, save_draft
from backend.deviations.actions.judge import judge, reopen, reply, resume, withdraw
from backend.deviations.actions.linking import link, patient_identified, unlink
from backend.deviations.actions.looking_after import look_after
from backend.deviations.actions.mask import mask
from backend.deviations.actions.moving import touch
from backend.deviations.actions.quiet import quiet, unquiet
from backend.deviations.actions.report import report
from backend.deviations.actions.respond import acknowledge, answer, delay_notice, question, review
from backend.deviations.actions.reviews import give_back, hand_over, mask_reviewed, send_reviewed
from backend.deviations.actions.route import confirm_redirect, decline, redirect, resend
from backend.deviations.actions.silence import go_home
from backend.deviations.actions.succession import follow_successor
from backend.deviations.actions.team import (
    assign,
    end_invitation,
    flag,
    give_back_answer,
    invite,
    judge_risk,
    note,
    propose_answer,
    register,
    register_copy,
    save_answer_draft,
    set_reference,
    take_over,
    take_over_left,
)
from backend.deviations.actions.views import remove_view, rename_view, restore_view, save_view, search

__all__ = [
    "acknowledge",
    "answer",
    "assign",
    "bulk",
    "chase",
    "close_calendar",
    "confirm_redirect",
    "decline",
    "delay_notice",
    "discard_draft",
    "end_drafts",
    "end_invitation",
    "flag",
    "follow_successor",
    "give_back",
    "give_back_answer",
    "go_home",
    "hand_over",
    "invite",
    "judge",
    "judge_risk",
    "lines_of",
    "link",
    "look_after",
    "mask",
    "mask_reviewed",
    "note",
    "open_calendar",
    "patient_identified",
    "propose_answer",
    "question",
    "quiet",
    "redirect",
    "register",
    "register_copy",
    "remove_view",
    "rename_view",
    "reopen",
    "reply",
    "report",
    "resend",
    "restore_view",
    "resume",
    "review",
    "save_answer_draft",
    "save_draft",
    "save_view",
    "search",
    "send_reviewed",
    "set_reference",
    "settle",
    "spread",
    "take_over",
    "take_over_left",
    "touch",
    "unacknowledge",
    "undo",
    "unlink",
    "unquiet",
    "withdraw",
]
