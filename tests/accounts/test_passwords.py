"""What a password must be."""

import pytest

from backend.accounts import passwords

LONGER = "Skriv minst 12 tecken. Några ord på rad är lätta att minnas."
GUESSED = "Det lösenordet gissar många först. Välj något annat."
ADDRESS = "Välj något annat än din e-postadress."


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", LONGER),
        ("elva tecken", LONGER),
        ("tolv tecken!", None),
        ("korrekt häst batteri", None),
        ("åååååååååååå", GUESSED),
        ("abababababab", GUESSED),
        ("samsvar-demo", GUESSED),
        ("Password1234", GUESSED),
        ("LÖSENORDLÖSENORD", GUESSED),
        ("sjuksköterska", GUESSED),
        ("anna.andersson@solvesborg.example", ADDRESS),
        ("Anna.Andersson", ADDRESS),
        (" anna.andersson ", ADDRESS),
        ("x" * 100 + "yz å" * 25 + "!", "Lösenordet är för långt: högst 200 tecken."),
    ],
)
def test_a_password_is_long_and_not_what_everybody_tries(password: str, reason: str | None) -> None:
    assert passwords.why_not(password, "Anna.Andersson@solvesborg.example") == reason


def test_what_is_listed_as_common_is_long_enough_to_need_the_list() -> None:
    assert sorted(one for one in passwords.COMMON if len(one) < passwords.SHORTEST) == []
    assert sorted(one for one in passwords.COMMON if one != one.casefold()) == []
