"""`make demo`: the real thing on one machine. Nothing here is pretended: the servers are PostgreSQL and Valkey, and
web, worker and beat are the processes that production runs.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from backend.core import db, embedded, migrate, supervisor
from backend.settings import settings


def run(state: Path, port: int, *, say: Callable[[str], None]) -> int:
    """Start all, and stay until told to stop. Returns the exit code."""
    try:
        with supervisor.claim(state):
            if settings().database_url and settings().redis_url:
                return _serve(
                    settings().database_url, settings().database_url, settings().redis_url, state, port, say
                )
            servers = embedded.start(state)
            try:
                return _serve(servers.admin_url, servers.database_url, servers.redis_url, state, port, say)
            finally:
                servers.stop()
    except supervisor.AlreadyRunning as running:
        say(f"{running}. Stoppa den med Ctrl-C där, eller välj en annan mapp.")
        return 1


def _serve(
    admin_url: str, database_url: str, redis_url: str, state: Path, port: int, say: Callable[[str], None]
) -> int:
    address = settings().base_url
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PORT": str(port),
        "SAMSVAR_ENV": "demo",
        "SAMSVAR_BASE_URL": address,
    }
    migrate.upgrade(admin_url)
    db.use(admin_url)
    if not _filled():
        from backend.demo import county  # noqa: PLC0415  loads every room, and is needed once

        county.fill()
        say(
            "Blekinge är inläst: organisationer, enheter, personer, 2023 och 2024 års ärenden och några pågående."
        )
    here = [sys.executable, "-m", "backend"]

    def ready() -> None:
        say(f"\nSamsvar kör på {address}\n")
        say("Logga in med lösenordet samsvar-demo, till exempel som")
        say("  hemsjukvard@solvesborg.example   sjuksköterska i kommunen, rapporterar och svarar")
        say("  avd43@region.example             vårdavdelning på sjukhuset, tar emot och svarar")
        say("  mas@solvesborg.example           MAS, ser verksamhetens ärenden och siffror")
        say("  ifo@solvesborg.example           socialsekreterare i samma kommun, en egen sekretesskrets")
        say("  samordnare@lan.example           länssamordnare, ser månadens siffror men inga ärenden")
        say(f"Alla mejl fångas på {address}/demo/post. Avsluta med Ctrl-C.\n")

    return supervisor.supervise(
        {
            "web": supervisor.Child([*here, "serve"], environment, url=f"{address}/healthz"),
            "worker": supervisor.Child([*here, "worker"], environment),
            "beat": supervisor.Child([*here, "beat"], environment),
        },
        state=state,
        ready=ready,
        say=say,
    )


def _filled() -> bool:
    """Whether the county is there. Its summaries are what is made last."""
    with db.unit_of_work(db.COUNTER) as session:
        return bool(session.scalar(text("select exists (select from snapshots)")))
