"""What an administrator does at the pages of the directory, and what stands there afterwards."""

import re
from html import unescape

from httpx2 import Response
from sqlalchemy import Engine, text

OWN = "SE2120000852"
CARE, IFO = f"{OWN}-V000", f"{OWN}-I000"
HOME, HOME_CARE = f"{OWN}-V010", f"{OWN}-V020"
FOREIGN = "SE2321000081-S011"
REGIONS_ADMINISTRATOR = "admin@region.example"


def told(answer: Response) -> list[str]:
    """The sentences of the error summary."""
    summary = re.search(r'id="error-summary".*?</ul>', answer.text, re.DOTALL)
    found = (
        re.findall(r"<li>(?:<a [^>]*>)?(.*?)(?:</a>)?</li>", summary.group(), re.DOTALL) if summary else []
    )
    return [unescape(sentence).strip() for sentence in found]


def rows(superuser: Engine, query: str, **values: object) -> list[tuple[object, ...]]:
    """What is really there."""
    with superuser.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def one(superuser: Engine, query: str, **values: object) -> object:
    [[value]] = rows(superuser, query, **values)
    return value


def person_id(superuser: Engine, email: str) -> int:
    found = one(superuser, "select id from people where email = :e", e=email)
    assert isinstance(found, int)
    return found


def recorded(superuser: Engine, room: str = "directory") -> list[str]:
    """What the access log says was done, in order."""
    query = "select action from audit_log where action like :room order by id"
    return [str(action) for (action,) in rows(superuser, query, room=f"{room}.%")]
