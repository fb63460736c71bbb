"""The `samsvar` command."""

import csv
import io
import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from backend.core import db, text
from backend.settings import ROOT, settings

if TYPE_CHECKING:
    from backend.exchange.outcome import Outcome

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Samsvar: avvikelser i samverkan, från rapport till svar.",
)
imports = typer.Typer(no_args_is_help=True, help="Läs in katalog och historik.")
figures = typer.Typer(no_args_is_help=True, help="Räkna.")
app.add_typer(imports, name="import")
app.add_typer(figures, name="figures")
out = Console()
err = Console(stderr=True)


@app.command()
def serve() -> None:
    """Kör webben."""
    import uvicorn  # slow import, and no other command needs it

    from backend.main import create_app  # loads every page

    uvicorn.run(
        create_app(),
        host=settings().host,
        port=settings().port,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=bool(settings().trusted_proxies),
        forwarded_allow_ips=settings().trusted_proxies or None,
        timeout_graceful_shutdown=5,
    )


@app.command()
def worker() -> None:
    """Kör jobben."""
    _celery(
        "workers.app",
        "worker",
        "--concurrency=2",
        "--loglevel=warning",
        "--without-mingle",
        "--without-gossip",
    )


@app.command()
def beat() -> None:
    """Kör taktslagaren, som ser till att inget glöms."""
    _celery("workers.beat", "beat", "--loglevel=warning", "--pidfile=")


def _celery(app: str, *arguments: str) -> None:
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "celery", "-A", app, *arguments])  # noqa: S606  our own


@app.command()
def migrate() -> None:
    """Skapa eller uppdatera databasen: roller, tabeller, skydd."""
    from backend.core import migrate as migration  # loads every model

    revision = migration.upgrade(db.database_url(admin=True), web_password=settings().web_password)
    out.print(f"Databasen är på version {revision}.")


@app.command()
def reindex() -> None:
    """Gör om sökorden för alla ärenden: efter en uppgradering som läser orden på ett nytt sätt."""
    from backend.deviations import finding, searching  # slow import

    db.use(db.database_url(admin=True))
    with db.unit_of_work(db.OPERATOR) as session:
        ids = finding.every_case(session)
        searching.index_many(session, ids)
    out.print(f"{text.number(len(ids))} ärenden är sökbara.")


@app.command()
def demo() -> None:
    """Starta allt på den här datorn: databas, kö, webb, arbetare och taktslagare, med påhittade uppgifter."""
    # Whoever asks for the demo has it, also on servers of their own.
    os.environ["SAMSVAR_ENV"] = "demo"
    settings.cache_clear()
    if bool(settings().database_url) != bool(settings().redis_url):
        err.print("Sätt både DATABASE_URL och REDIS_URL, eller ingen av dem.")
        raise typer.Exit(2)
    from backend import demo as house

    raise typer.Exit(
        house.run(
            settings().state, settings().port, say=lambda words: print(words, file=sys.stderr, flush=True)
        )
    )


@app.command(hidden=True)
def demo_reset() -> None:
    """Stoppa det som kör i den här mappen och börja om från början."""
    from backend.core import supervisor  # starts nothing by being loaded

    if settings().state.exists():
        supervisor.reset(settings().state)
    err.print("Demon är nollställd. Starta den med: make demo")


@app.command()
def doctor() -> None:
    """Kontrollera inställningar, databas, roller, skydd, kö, mejl och klocka, och säg vad som ska lagas."""
    from backend import doctor as examination  # loads every room

    table = Table("Del", "Läge", "Vad som kan göras", title="Samsvar")
    found = examination.findings()
    for finding in found:
        table.add_row(
            finding.part,
            {"ok": "[green]bra[/]", "warning": "[yellow]varning[/]"}.get(finding.level, "[red]fel[/]"),
            finding.advice,
        )
    out.print(table)
    raise typer.Exit(1 if any(finding.level == "error" for finding in found) else 0)


County = Annotated[
    str, typer.Option("--county", help="Länets kod, t.ex. BLE. Behövs där flera län är inlästa.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Läs och kontrollera, men spara ingenting.")]


@imports.command("directory")
def import_directory(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    county: County,
    dry_run: DryRun = False,
) -> None:
    """Läs in ett läns organisationer, enheter, kategorier och personer. Kan göras om."""
    from backend.exchange import actions  # slow import

    db.use(db.database_url(admin=True))
    with db.unit_of_work(db.OPERATOR) as session:
        outcome = actions.import_directory(session, folder, county, dry_run=dry_run)
    _tell(outcome, dry_run)


@imports.command("deviations")
def import_deviations(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    county: County,
    dry_run: DryRun = False,
) -> None:
    """Läs in ärenden ur ett äldre system, ur CSV eller XLSX. Alla rader eller ingen."""
    from backend.exchange import actions  # slow import

    db.use(db.database_url(admin=True))
    with db.unit_of_work(db.OPERATOR) as session:
        outcome = actions.import_deviations(session, file, county, dry_run=dry_run)
    _tell(outcome, dry_run)


@figures.command("answer-rate")
def answer_rate(
    first: Annotated[str, typer.Option("--from", help="Första månaden, t.ex. 2023-01.")],
    last: Annotated[str, typer.Option("--to", help="Sista månaden, t.ex. 2023-12.")],
    county: Annotated[str | None, typer.Option(help="Länets kod. Behövs där flera län är inlästa.")] = None,
    sender: Annotated[
        str | None, typer.Option(help="HSA-id för organisation eller enhet, med allt under.")
    ] = None,
    receiver: Annotated[
        str | None, typer.Option(help="HSA-id för organisation eller enhet, med allt under.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Kategorins kod, med allt under.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Brytdag, t.ex. 2024-12-31. Annars nu.")] = None,
    format: Annotated[str, typer.Option(help="table, json eller csv.")] = "table",  # noqa: A002  the flag's name
) -> None:
    """Andel besvarade av ärenden med utgången svarsfrist, med osäkerhet."""
    from backend.core.errors import InvalidError  # slow imports
    from backend.statistics import months, queries

    try:
        with db.unit_of_work(db.COUNTER) as session:
            found = queries.answer_rate(
                session,
                county=county,
                first=months.parse(first),
                last=months.parse(last),
                sender=sender,
                receiver=receiver,
                category=category,
                as_of=date.fromisoformat(as_of) if as_of else None,
            )
    except InvalidError as error:
        for fault in error.faults:
            err.print(f"--{fault.field}: {fault.text}")
        raise typer.Exit(2) from None
    except ValueError:
        err.print("Skriv månader som 2023-01 och brytdagen som 2024-12-31.")
        raise typer.Exit(2) from None
    print(_written(found, format), end="")


def _written(found: dict[str, Any], format: str) -> str:  # noqa: A002  the flag's name
    """The figures as JSON, as a line of CSV under its head, or as a table for people."""
    if format == "json":
        return json.dumps(found, ensure_ascii=False, indent=2) + "\n"
    if format == "csv":
        file = io.StringIO()
        flat = {
            key: json.dumps(value) if isinstance(value, dict | list) else value
            for key, value in found.items()
        }
        writer = csv.DictWriter(file, flat)
        writer.writeheader()
        writer.writerow(flat)
        return file.getvalue()
    low, high = found["interval"]
    rate = found["answer_rate"]
    shown = {
        "Period": f"{found['from']} – {found['to']}, till och med {found['as_of']}",
        "Med utgången svarsfrist": found["matured"],
        "Besvarade": found["answered"],
        "Andel besvarade": "–" if rate is None else text.percent(rate, 1),
        "Osäkerhet (95 %)": f"{text.percent(low, 1)} – {text.percent(high, 1)}",
        "I tid": found["on_time"],
        "Kvitterade": found["acknowledged"],
        "Godtagna": found["accepted"],
        "Pågår": found["ongoing"],
        "Återtagna": found["withdrawn"],
        "Goda exempel": found["good_examples"],
        "Svarstid, median": "–" if found["median_days"] is None else f"{found['median_days']} dagar",
    }
    width = max(map(len, shown))
    return "".join(f"{label:<{width}}  {value}\n" for label, value in shown.items())


def _tell(outcome: "Outcome", dry_run: bool) -> None:
    """What an import did; with faults, every one of them, and exit 1."""
    from backend.exchange.outcome import KINDS

    if not outcome.ok:
        table = Table(
            "Rad", "Referens", "Kolumn", "Fel", title=f"Inget har sparats: {len(outcome.faults)} fel"
        )
        for fault in outcome.faults:
            place = f"{fault.file} rad {fault.row}" if fault.row else fault.file
            table.add_row(place, fault.reference or "", fault.column or "", fault.reason)
        wide = Console(width=None if out.is_terminal else 250)
        wide.print(table)
        raise typer.Exit(1)
    table = Table(
        "",
        "Nya",
        "Ändrade",
        "Avslutade",
        "Oförändrade",
        title="Provläsning, inget sparat" if dry_run else "Inläst",
    )
    for kind, count in outcome.counts.items():
        cells = (str(count[fate]) for fate in ("added", "changed", "ended", "unchanged"))
        table.add_row(KINDS[kind](), *cells)
    out.print(table)
