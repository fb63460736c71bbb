"""Letters are read where they come in, put away when they are dealt with, and nothing else of the disk is touched."""

import imaplib
import os
from pathlib import Path

import pytest

from backend.core import letter_box
from backend.core.delivery_reports import LONGEST
from tests.core.imap_server import Mailboxes, serving


def maildir(path: Path, **letters: bytes) -> str:
    for folder in ("tmp", "new", "cur"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    for number, (name, content) in enumerate(letters.items()):
        (path / "new" / name).write_bytes(content)
        os.utime(path / "new" / name, (1000 + number, 1000 + number))
    return f"maildir:{path}"


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_letters_of_a_maildir_are_read_oldest_first_and_put_away(tmp_path: Path) -> None:
    url = maildir(tmp_path / "Mail dir", b="först".encode(), a=b"sedan")
    (tmp_path / "Mail dir" / "cur" / "seen:2,S").write_bytes(b"last")
    with letter_box.opened(url.replace(" ", "%20")) as box:
        read = list(box.letters())
        assert [letter for _name, letter in read] == ["först".encode(), b"sedan", b"last"]
        for name, _letter in read[:2]:
            box.put_away(name)
            box.put_away(name)  # killed after it was moved, and done again
        assert [name for name, _letter in box.letters()] == ["cur/seen:2,S"]
    assert names(tmp_path / "Mail dir" / ".behandlade" / "cur") == ["a", "b"]


def test_links_pipes_folders_and_hidden_files_are_no_letters_and_huge_ones_are_cut(tmp_path: Path) -> None:
    url = maildir(tmp_path, huge=b"x" * (LONGEST + 10))
    (tmp_path / "secret").write_bytes(b"not mail")
    (tmp_path / "new" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "new" / "folder").mkdir()
    (tmp_path / "new" / ".hidden").write_bytes(b"half")
    os.mkfifo(tmp_path / "new" / "pipe")
    with letter_box.opened(url) as box:
        assert [(name, len(letter)) for name, letter in box.letters()] == [("new/huge", LONGEST)]


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("maildir:/nowhere/at/all", FileNotFoundError),
        ("pop3://post.example/", ValueError),
        ("imap://post.example/", ValueError),  # a password in the clear over the net
        ("/var/mail", ValueError),
    ],
)
def test_an_address_that_is_no_box_is_refused(url: str, error: type[Exception]) -> None:
    with pytest.raises(error), letter_box.opened(url):
        pass


def imap(boxes: Mailboxes, folder: str = "INBOX", password: str = "hemligt") -> str:
    return f"imap://samsvar%40kommun.example:{password}@127.0.0.1:{boxes.port}/{folder}"


def test_letters_of_an_imap_folder_are_read_and_put_away() -> None:
    boxes = Mailboxes(folders={"Studsar ut": {7: b"ett", 9: b"x" * (LONGEST + 5)}, "INBOX": {1: b"annat"}})
    with serving(boxes):
        visits = []
        for _visit in range(2):
            with letter_box.opened(imap(boxes, "Studsar%20ut")) as box:
                read = list(box.letters())
                for name, _letter in read:
                    box.put_away(name)
                visits.append([(name, len(letter)) for name, letter in read])
    assert visits == [[("7", 3), ("9", LONGEST)], []]
    assert {folder: sorted(letters) for folder, letters in boxes.folders.items()} == {
        "Studsar ut": [],
        "INBOX": [1],
        "behandlade": [7, 9],
    }


def test_a_letter_that_cannot_be_moved_stays_where_it_is() -> None:
    boxes = Mailboxes(folders={"INBOX": {7: b"ett"}}, refuses=frozenset({"COPY"}))
    with serving(boxes), letter_box.opened(imap(boxes)) as box, pytest.raises(OSError):
        box.put_away("7")
    assert boxes.folders["INBOX"] == {7: b"ett"}


def test_the_wrong_password_or_folder_is_an_error() -> None:
    boxes = Mailboxes()
    with serving(boxes):
        with pytest.raises(imaplib.IMAP4.error), letter_box.opened(imap(boxes, password="fel")):
            pass
        with pytest.raises(FileNotFoundError), letter_box.opened(imap(boxes, "Borta")):
            pass
