"""A small IMAP server for the tests, in threads of this process: as much of RFC 3501 as reading a folder takes."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailboxes:
    """Folders of letters by their uid. `refuses` names commands that are answered NO."""

    port: int = 0
    folders: dict[str, dict[int, bytes]] = field(default_factory=lambda: {"INBOX": {}})
    password: str = "hemligt"
    refuses: frozenset[str] = frozenset()
    commands: list[str] = field(default_factory=list)


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        boxes: Mailboxes = self.server.boxes  # type: ignore[attr-defined]
        self.deleted: set[int] = set()
        self.folder = ""
        self.say("* OK ready")
        for line in self.rfile:
            tag, _, rest = line.decode().rstrip("\r\n").partition(" ")
            name = rest.split(" ")[1 if rest.upper().startswith("UID") else 0].upper()
            boxes.commands.append(rest if name != "LOGIN" else "LOGIN")
            ok = name not in boxes.refuses and self.answer(boxes, name, rest)
            self.say(f"{tag} {'OK' if ok else 'NO'} {name}")
            if name == "LOGOUT":
                return

    def say(self, words: str | bytes) -> None:
        self.wfile.write((words.encode() if isinstance(words, str) else words) + b"\r\n")

    def answer(self, boxes: Mailboxes, name: str, rest: str) -> bool:
        letters = boxes.folders.get(self.folder, {})
        if name == "CAPABILITY":
            self.say("* CAPABILITY IMAP4rev1")
        elif name == "LOGIN":
            return f'"{boxes.password}"' in rest
        elif name == "SELECT":
            self.folder = rest.split(" ", 1)[1].strip('"')
            if self.folder not in boxes.folders:
                return False
            self.say(f"* {len(boxes.folders[self.folder])} EXISTS")
        elif name == "SEARCH":
            self.say("* SEARCH " + " ".join(map(str, sorted(letters))))
        elif name == "FETCH":
            uid, longest = int(rest.split(" ")[2]), int(re.findall(r"<0\.(\d+)>", rest)[0])
            letter = letters[uid][:longest]
            self.wfile.write(f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(letter)}}}\r\n".encode() + letter)
            self.say(")")
        elif name == "CREATE":
            folder = rest.split(" ", 1)[1]
            if folder in boxes.folders:
                return False
            boxes.folders[folder] = {}
        elif name == "COPY":
            uid, folder = rest.split(" ")[2:4]
            boxes.folders[folder][int(uid)] = letters[int(uid)]
        elif name == "STORE":
            self.deleted.add(int(rest.split(" ")[2]))
        elif name == "EXPUNGE":
            for uid in self.deleted:
                letters.pop(uid, None)
        elif name == "LOGOUT":
            self.say("* BYE")
        return True


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def serving(boxes: Mailboxes) -> Iterator[Mailboxes]:
    with _Server(("127.0.0.1", 0), _Talk) as server:
        server.boxes = boxes  # type: ignore[attr-defined]
        boxes.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield boxes
        server.shutdown()
        thread.join(10)
