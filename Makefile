# deepdash. Needs Python 3.11+ and git; everything else is installed into .venv from the hash-checked lists.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: help run test test-postgres lint format types check lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

run: $(VENV)/.installed-sandbox ## start the dashboard with everything embedded (and the sandbox, without a config.json)
	@exec $(PY) tools/up.py

test: $(VENV)/.installed-dev ## the whole test suite; says what it had to skip
	$(PY) -m pytest -n auto --dist loadfile $(ARGS)

test-postgres: $(VENV)/.installed-dev ## what touches the database once more, on a PostgreSQL of its own
	$(PY) -m tests.on_postgres

lint: $(VENV)/.installed-dev ## linters, and that pages are in all languages (needs GNU gettext)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) tools/untranslated.py

format: $(VENV)/.installed-dev ## put the code into shape
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

types: $(VENV)/.installed-dev ## static types, strictly
	$(PY) -m mypy .

check: $(VENV)/.installed-dev ## migrations complete, settings fit for production, packages as pinned
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) tools/configuration_table.py --check
	$(PY) tools/audit.py
	DEEPDASH_CONFIG=tools/check-deploy.json $(PY) manage.py check --deploy --fail-level WARNING

lock: $(VENV)/.installed-dev ## renew requirements*.txt from pyproject.toml
	$(PY) tools/lock.py

clean: ## remove the environment and the data of `make run`
	rm -rf $(VENV) var

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "deepdash needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making the environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.installed-sandbox: requirements-sandbox.txt | $(VENV)/bin/python
	@test -f $(VENV)/.installed-dev || { echo "Installing the packages, about a minute ..."; $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-sandbox.txt; }
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing the packages for tests, about a minute ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
