"""Local PostgreSQL and Valkey for `make demo` and the tests: real servers, no installation, no TCP port.

`DATABASE_URL` and `REDIS_URL` replace them. Production never starts them.
"""

from backend.core.embedded.home import EmbeddedServerError
from backend.core.embedded.servers import Servers, find, remove, start

__all__ = ["EmbeddedServerError", "Servers", "find", "remove", "start"]
