# Needs make, pip and Python 3.11 or newer; fetches everything else into .uv and .venv.
# Only relative paths: the folder's name may hold spaces.

PYTHON ?= python3
PORT ?= 8000
T ?= tests
UV_VERSION := 0.13.9

# The folder is part of the stamp's name: a copied or moved project must not run the first one's code.
STAMP := .venv/.ready-$(shell pwd | cksum | tr ' ' '-')
RUN := .venv/bin/python -m

export PORT
export UV_PYTHON_DOWNLOADS := never
# Compiled code is kept, whatever the caller's habit: without it every start compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE
.DELETE_ON_ERROR:
.PHONY: help demo demo-reset test test-fast test-external faults check lock clean chromium

help: ## list all targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP) ## start the county of Blekinge at http://localhost:8000 (PORT=…); Ctrl-C stops, the data stays
	@.venv/bin/samsvar demo

demo-reset: $(STAMP) ## stop what runs here and delete its data (.samsvar)
	@.venv/bin/samsvar demo-reset

test: $(STAMP) chromium ## run the whole suite, or a part: make test T=tests/deviations
	@$(RUN) pytest -n 2 --dist loadgroup "$(T)"

test-fast: $(STAMP) ## what needs neither a database of its own, a browser nor killed processes
	@$(RUN) pytest -n 2 --dist loadgroup -m "not browser and not faults and not database" "$(T)"

test-external: $(STAMP) chromium ## the suite on Debian's PostgreSQL 15 and Redis 7
	@$(RUN) tests.external "$(T)"

faults: $(STAMP) ## kill workers, Redis and PostgreSQL under ten thousand jobs, and tell what became of them
	@$(RUN) tests.faults

check: $(STAMP) ## style, types and who may import whom
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

lock: .uv/bin/uv ## pin all dependencies anew, with hashes
	@.uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--group dev pyproject.toml --output-file requirements.lock

clean: ## delete the environment and all caches; the demo's data stays
	@rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find backend workers tests alembic -name __pycache__ -prune -exec rm -rf {} +

# Anew and not over: the scripts of an environment hold the path of the folder it was made in.
$(STAMP): requirements.lock pyproject.toml | .uv/bin/uv
	@$(NEEDS_PYTHON)
	@echo "Setting up .venv …"
	@.uv/bin/uv venv --quiet --clear --python "$(PYTHON)" .venv
	@.uv/bin/uv pip sync --quiet --require-hashes requirements.lock
	@.uv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch "$@"

NEEDS_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "Samsvar needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3.12 …" >&2; exit 1; }

# Debian blocks pip outside an environment, but not into a folder of one's own.
.uv/bin/uv:
	@$(NEEDS_PYTHON)
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
		echo "Samsvar needs pip for $(PYTHON) (Debian: apt install python3-pip)." >&2; exit 1; }
	@$(PYTHON) -m pip install --quiet --quiet --upgrade --target .uv uv==$(UV_VERSION)

chromium:
	@command -v chromium >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing chromium …" \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium >/dev/null; \
	} || { echo "The browser tests need chromium (Debian: apt install chromium; others: make test-fast)." >&2; exit 1; }
