"""`samsvar doctor`: what is well, what is not, and what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.core import bell, clock, db, migrate
from backend.settings import settings

CLOCK_DRIFT = 5.0


@dataclass(frozen=True)
class Finding:
    part: str
    level: Literal["ok", "warning", "error"]
    advice: str = ""


def findings() -> list[Finding]:
    return [*_settings(), *_database(), *_broker(), *_mail()]


def _settings() -> Iterator[Finding]:
    faults = settings().faults()
    yield from (Finding("Inställningar", "error", fault) for fault in faults)
    if not faults:
        yield Finding("Inställningar", "ok", f"SAMSVAR_ENV={settings().env}")


def _database() -> Iterator[Finding]:
    try:
        with db.unit_of_work(db.NOBODY) as session:
            drift = abs(
                (session.scalars(text("select clock_timestamp()")).one() - clock.now()).total_seconds()
            )
            login = session.execute(
                text("select rolsuper, rolbypassrls from pg_roles where rolname = session_user")
            ).one()
            unforced = session.scalars(
                text(
                    "select relname from pg_class where relname in ('deviations', 'handovers', 'answers',"
                    " 'answer_actions', 'events', 'event_actors', 'sides', 'drafts', 'audit_log')"
                    " and not (relrowsecurity and relforcerowsecurity)"
                )
            ).all()
    except SQLAlchemyError as error:
        yield Finding("Databas", "error", f"Svarar inte ({type(error).__name__}). Kontrollera DATABASE_URL.")
        return
    yield Finding("Databas", "ok")
    if migrate.is_at_head(db.engine()):
        yield Finding("Version", "ok")
    else:
        yield Finding("Version", "error", "Databasen är inte på senaste version. Kör: samsvar migrate")
    if login[0] or login[1]:
        yield Finding(
            "Roller", "warning", "Inloggningen går förbi skyddet (superuser). Använd samsvar_web i drift."
        )
    else:
        yield Finding("Roller", "ok")
    if unforced:
        yield Finding("Radskydd", "error", f"Skyddet är inte tvingande på: {', '.join(unforced)}.")
    else:
        yield Finding("Radskydd", "ok")
    if drift > CLOCK_DRIFT:
        yield Finding("Klocka", "warning", f"Skiljer {drift:.0f} s från databasens. Synkronisera med NTP.")
    else:
        yield Finding("Klocka", "ok")


def _broker() -> Iterator[Finding]:
    url = bell.broker_url().replace("redis+socket://", "unix://")
    try:
        client = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
    except (RedisError, OSError, ValueError):
        yield Finding(
            "Kö", "warning", "Svarar inte. Inget går förlorat, men mejl väntar. Kontrollera REDIS_URL."
        )
        return
    if policy != "noeviction":
        yield Finding(
            "Kö", "warning", "Sätt maxmemory-policy till noeviction, annars kan meddelanden kastas."
        )
    else:
        yield Finding("Kö", "ok")


def _mail() -> Iterator[Finding]:
    if settings().smtp_url:
        yield Finding("Mejl", "ok", "Skickas genom SAMSVAR_SMTP_URL.")
    else:
        yield Finding(
            "Mejl",
            "ok" if settings().env != "production" else "error",
            "Fångas och visas på /demo/post."
            if settings().env != "production"
            else "Sätt SAMSVAR_SMTP_URL, annars når inga påminnelser fram.",
        )
