"""What a password must be: long, and not one that anybody would try first."""

from backend.core.text import gettext as _

SHORTEST = 12
LONGEST = 200

# Those of at least twelve signs that head the lists of leaked ones, their Swedish cousins, and our own demo's.
COMMON = frozenset(
    {
        "123456789012",
        "1234567890123",
        "12345678901234",
        "123456789123",
        "1234567891234",
        "0123456789012",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "abcdefghijkl",
        "administrator",
        "administrator1",
        "changeme1234",
        "hejhejhejhej",
        "hemligt12345",
        "iloveyou1234",
        "jagälskardig",
        "losenord1234",
        "losenordlosenord",
        "lösenord1234",
        "lösenordlösenord",
        "passwordpassword",
        "password1234",
        "password12345",
        "password123456",
        "p@ssword1234",
        "qazwsxedcrfv",
        "qwerty123456",
        "qwerty1234567",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopåå",
        "samsvar-demo",
        "samsvar12345",
        "sjuksköterska",
        "sommar202412",
        "välkommen123",
        "valkommen123",
        "vinter202412",
        "welcome12345",
    }
)


def why_not(password: str, email: str) -> str | None:
    """What is wrong with a new password, in a sentence; None where nothing is.

    At least twelve signs (NIST 800-63B asks for no mixture of kinds, and neither do we), not the address, not
    one that heads the lists.
    """
    folded, address = password.casefold().strip(), email.casefold()
    if len(password) < SHORTEST:
        return _("Skriv minst {n} tecken. Några ord på rad är lätta att minnas.").format(n=SHORTEST)
    if len(password) > LONGEST:
        return _("Lösenordet är för långt: högst {n} tecken.").format(n=LONGEST)
    if folded in (address, address.partition("@")[0]):
        return _("Välj något annat än din e-postadress.")
    if folded in COMMON or len(set(folded)) < 4:
        return _("Det lösenordet gissar många först. Välj något annat.")
    return None
