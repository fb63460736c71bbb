"""What is owed, and what went wrong with it, in words."""

from collections.abc import Callable

from backend.core.text import gettext as _

KINDS: dict[str, Callable[[], str]] = {
    "accounts.invitation": lambda: _("Inbjudan att logga in"),
    "accounts.reset": lambda: _("Länk till ett nytt lösenord"),
    "agreements.calendar_check": lambda: _("Mejl till samordnaren om nästa års lediga dagar"),
    "deviations.chase": lambda: _("Morgonens titt på ett ärende som väntar"),
    "deviations.draft_ends": lambda: _("Utkast som ingen skriver på"),
    "deviations.look_after": lambda: _("Eftersökning av ärenden som ingen ser till"),
    "directory.bounces": lambda: _("Läsning av studsande mejl"),
    "directory.no_receiver": lambda: _("Mejl om en enhet som saknar mottagare"),
    "directory.no_substitutes": lambda: _("Mejl om enheter utan ersättare"),
    "directory.unreachable": lambda: _("Mejl om en adress som inte fungerar"),
    "deviations.go_home": lambda: _("Ärende som ska gå vidare av sig självt"),
    "deviations.follow_successor": lambda: _("Öppna ärenden till enheten som tar över"),
    "notifications.answered": lambda: _("Mejl om ett svar att läsa"),
    "notifications.arrival": lambda: _("Mejl om ett nytt ärende"),
    "notifications.assigned": lambda: _("Mejl till en ny handläggare"),
    "notifications.declined": lambda: _("Mejl om ett avvisat ärende"),
    "notifications.delay_notice": lambda: _("Mejl om att ett svar dröjer"),
    "notifications.disputed": lambda: _("Mejl om att parterna är oense"),
    "notifications.external": lambda: _("Mejl om ett ärende som ska skickas utanför Samsvar"),
    "notifications.for_approval": lambda: _("Mejl om ett svar att godkänna"),
    "notifications.invited": lambda: _("Mejl om en inbjudan att medverka"),
    "notifications.masked": lambda: _("Mejl om en maskerad uppgift"),
    "notifications.letter": lambda: _("En persons samlade brev"),
    "notifications.forgotten": lambda: _("Eftersökning av besked som inget brev har tagit med"),
    "notifications.mention": lambda: _("Mejl om en anteckning att läsa"),
    "notifications.question": lambda: _("Mejl om en fråga"),
    "notifications.redirect_proposed": lambda: _("Mejl om ett förslag att skicka vidare"),
    "notifications.redirect_refused": lambda: _("Mejl om att ett ärende blir kvar"),
    "notifications.reopened": lambda: _("Mejl om ett ärende som är öppnat igen"),
    "notifications.reply": lambda: _("Mejl om svar på en fråga"),
    "notifications.thanked": lambda: _("Mejl om ett tack"),
    "notifications.disagreed": lambda: _("Mejl om ett ärende som är avslutat som oenighet"),
    "notifications.unsettled": lambda: _("Mejl om att tiden att komma överens är slut"),
    "notifications.settled": lambda: _("Mejl om att parterna är överens"),
    "notifications.withdrawn": lambda: _("Mejl om ett återtaget ärende"),
    "notifications.settle_proposed": lambda: _("Mejl om ett förslag till överenskommelse"),
    "summaries.snapshot": lambda: _("Månadens siffror"),
    "upkeep.prune": lambda: _("Städning av det som inte längre behövs"),
}

TROUBLES: dict[str, Callable[[], str]] = {
    "ConnectionRefusedError": lambda: _("Mejlservern gick inte att nå"),
    "ConnectionResetError": lambda: _("Mejlservern bröt förbindelsen"),
    "SMTPServerDisconnected": lambda: _("Mejlservern bröt förbindelsen"),
    "SMTPConnectError": lambda: _("Mejlservern tog inte emot oss"),
    "SMTPHeloError": lambda: _("Mejlservern tog inte emot oss"),
    "SMTPAuthenticationError": lambda: _("Mejlservern godtog inte vår inloggning"),
    "SMTPSenderRefused": lambda: _("Mejlservern godtog inte vår avsändaradress"),
    "SMTPRecipientsRefused": lambda: _("Mejlservern tog inte emot mottagarens adress"),
    "SMTPDataError": lambda: _("Mejlservern tog inte emot mejlet"),
    "SSLCertVerificationError": lambda: _("Mejlserverns certifikat är inte giltigt"),
    "SSLError": lambda: _("Den säkra förbindelsen till mejlservern misslyckades"),
    "gaierror": lambda: _("Mejlserverns namn gick inte att slå upp"),
    "TimeoutError": lambda: _("Mejlservern svarade inte i tid"),
    "OperationalError": lambda: _("Databasen avbröt arbetet"),
    "SoftTimeLimitExceeded": lambda: _("Arbetet tog för lång tid"),
    "WorkerLostError": lambda: _("Arbetet avbröts varje gång det försöktes"),
}

REASONS: dict[str, Callable[[], str]] = {
    "told_otherwise": lambda: _("Mottagaren har fått veta på annat sätt"),
    "no_longer_needed": lambda: _("Behövs inte längre"),
    "wrong_address": lambda: _("Mottagaren eller adressen finns inte"),
    "other": lambda: _("Annat skäl"),
}


def kind(code: str) -> str:
    """What a job does, for whoever must decide what becomes of it."""
    if code in KINDS:
        return KINDS[code]()
    return _("Mejl") if code.startswith("notifications.") else _("Annat arbete")


def trouble(error: str | None) -> str:
    """What stopped it, of which only the error's class is known."""
    if error is None:
        return _("Okänt fel")
    return (
        TROUBLES[error]()
        if error in TROUBLES
        else _("Fel i programmet. Uppge {code} till supporten").format(code=error)
    )
