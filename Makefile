# Needs python3.11 or newer with venv, and make. Everything else is installed into .venv from requirements.lock.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PG15 := /usr/lib/postgresql/15/bin
FRONT := hatch_build.py $(shell find front -name node_modules -prune -o -type f -print)
# Of the stories, those that move no money are told on one PostgreSQL only; every statement is prepared on both.
NO_MONEY := identity identity_external identity_keys identity_passkeys reseal webhooks_addresses webhooks_delivered feed stream \
	notices announcements alarms prices rate_source_terms search large_imports differences checking_drafts
MONEY_SUITES := $(wildcard tests/books tests/model tests/house/test_statements.py) \
	$(filter-out $(NO_MONEY:%=tests/stories/test_%.py), $(wildcard tests/stories/test_*.py))

SERVICE_SUITES := tests/api tests/service tests/web tests/console tests/binance
FAULTS := tests/faults
BROWSER_SUITE := tests/browser
STORIES := tests/stories

.DEFAULT_GOAL := help
.PHONY: help run test check pytest pytest-faults pytest-service pytest-stories pytest-engine pytest-browser pytest-15 bench front texts schema docs lock clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/installed ## load a demo desk, live through 90 days of it, audit the books, and serve it
	$(BIN)/staddle demo --serve

test: check ## all that CI runs: check, every test, and the money suites on PostgreSQL 15, three suites at a time
	$(MAKE) --jobs=3 --output-sync=target pytest-faults pytest-service pytest-15 pytest-browser pytest-stories pytest-engine

check: .venv/installed ## style, types, imports and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(wildcard tests/house),$(BIN)/pytest -q tests/house)

pytest: .venv/installed ## every test on the embedded PostgreSQL: three of the next five suites at a time
	$(MAKE) --jobs=3 --output-sync=target pytest-faults pytest-service pytest-browser pytest-stories pytest-engine

pytest-faults: .venv/installed ## only the tests that kill: processes, servers, workers, in the middle of everything
	$(BIN)/pytest -q $(FAULTS)

pytest-service: .venv/installed ## only the tests of the service: API, pages, console, batches, the guide
	$(BIN)/pytest -q $(SERVICE_SUITES)

pytest-stories: .venv/installed ## only the stories: the rules, told by the public acts
	$(BIN)/pytest -q $(STORIES)

pytest-engine: .venv/installed ## only the other tests of the engine: books, model, commands, database
	$(BIN)/pytest -q tests $(addprefix --ignore=,$(SERVICE_SUITES) $(FAULTS) $(BROWSER_SUITE) $(STORIES) tests/house)

pytest-browser: .venv/installed ## only the tests in a browser: what customers and operators see and touch
	$(BIN)/pytest -q $(BROWSER_SUITE)

pytest-15: .venv/installed ## the suites that move money on Debian's PostgreSQL 15, where it is installed
	$(if $(and $(wildcard $(PG15)/postgres),$(MONEY_SUITES)),STADDLE_TEST_BIN_DIR=$(PG15) $(BIN)/pytest -q $(MONEY_SUITES),\
	@echo "PostgreSQL 15 is not installed here ($(PG15)); CI installs it")

bench: .venv/installed ## how fast it is, as ratios within one run
	$(BIN)/python -m bench

front: .venv/packages ## build what the pages load (front/) anew
	$(BIN)/python hatch_build.py

texts: .venv/installed ## bring the catalogues of the languages up to date with the texts of the pages
	$(BIN)/python -m staddle.ui.catalogues

schema: .venv/installed ## write src/staddle/db/schema.sql anew from the migrations
	$(BIN)/python -m staddle.db.dump

docs: .venv/installed ## write docs/reference and the examples of the API anew from the code
	$(BIN)/python docs/make_reference.py
	$(BIN)/python -m tests.api.make_examples

lock: .venv/installed ## pin what pyproject.toml asks for, with hashes, into requirements.lock
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--no-annotate --extra dev --output-file requirements.lock pyproject.toml
	for clients in python connector; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		--output-file tests/binance/clients/$$clients.lock tests/binance/clients/$$clients.in || exit 1; done

clean: ## remove what make has made here
	rm -rf .venv build dist front/node_modules src/staddle/ui/static src/staddle/ui/static.new .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: .venv/packages $(FRONT)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/packages: pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; on Debian: apt install python3.11-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip' || { echo "venv is missing; on Debian: apt install python3.11-venv"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@
