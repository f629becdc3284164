# Thin: each target is one command of the project's own. `make` alone lists them.
SHELL := /bin/bash
STAGE ?= $(shell ls -d stage[0-9] 2>/dev/null | sort | tail -n 1 | tr -dc 0-9)
PORT_OFFSET ?= 0
DETACH ?=
export PORT_OFFSET
# A worker a core: a stage under traffic or a browser fills one, and what is late then fails.
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN)
BIN := .venv/bin
UV := 0.13.8
WORKSHOP := $(BIN)/workshop
# Ctrl-C is an end and no error (128 + SIGINT); every other exit code stays.
OR_CTRL_C := || { code=$$?; [ $$code -eq 130 ] || exit $$code; }

.PHONY: help run down status traffic check logs diff propagate bench attacks test test-fast test-lessons lint tools golden audit screenshot dashboards lock install

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: .venv/.installed ## STAGE=n (default: the last) PORT_OFFSET=k DETACH=1: services, pocket stack, traffic, check, UI
	@$(WORKSHOP) up $(STAGE) --traffic --check $(if $(filter-out 0,$(DETACH)),--detach) $(OR_CTRL_C)

down: .venv/.installed ## stop what run started
	@$(WORKSHOP) down

status: .venv/.installed ## what runs, where
	@$(WORKSHOP) status

traffic: .venv/.installed ## STAGE=n ARGS="--num-users 20": drive the stage with virtual users
	@$(WORKSHOP) traffic $(STAGE) $(ARGS) $(OR_CTRL_C)

check: .venv/.installed ## STAGE=n: is every signal and every link there?
	@$(WORKSHOP) check $(STAGE) $(OR_CTRL_C)

logs: .venv/.installed ## ARGS="--follow dice-roller": what the services write
	@$(WORKSHOP) logs $(ARGS) $(OR_CTRL_C)

diff: .venv/.installed ## STAGE=n: what this stage adds to the one before
	@$(WORKSHOP) diff $(STAGE)

propagate: .venv/.installed-dev ## FILE=stage3/…: carry a changed file to its copies in the later stages
	@$(BIN)/python -m workshop.propagate $(FILE)

lint: .venv/.installed-dev ## ruff (rules and format), mypy --strict, deno (format, rules, types) for the UI's JavaScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	DENO_DIR=.venv/.deno DENO_NO_UPDATE_CHECK=1 $(BIN)/deno task --quiet lint

tools: .venv/.installed-dev ## programs that some tests need: as root on Debian it gets Chromium and Prometheus
	@$(BIN)/python tests/prepare.py

test-fast: lint ## lint, and the tests that need no browser, no whole stage and little time
	$(BIN)/pytest -n $(WORKERS) -m "not e2e and not browser and not slow"

test: tools lint ## the suite: lint, unit, engine, end to end, browser
	$(BIN)/pytest -n $(WORKERS) -m "not exercise"

test-lessons: .venv/.installed-dev ## plays the exercises of all lessons, one after another
	$(BIN)/pytest -m exercise

attacks: .venv/.installed-dev ## ARGS="WORD …": attack what runs; one table with figures (tests/attacks)
	$(BIN)/python -m tests.attacks $(ARGS)

golden: .venv/.installed-dev ## REAL_TOOLS_DIR=…: record what real Prometheus 3, Loki and Tempo answer (tests/golden)
	GOLDEN=record $(BIN)/pytest -n 0 $(wildcard tests/pocket/*/test_against_*.py)

audit: .venv/.installed-dev ## are there known vulnerabilities in what is pinned? Asks pypi.org
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock -r requirements-dev.lock

screenshot: .venv/.installed-dev ## write README's picture of the UI
	$(BIN)/python -m tests.screenshot

bench: .venv/.installed-dev ## measure; writes bench/results.md
	$(BIN)/python -m bench

dashboards: .venv/.installed-dev ## write the stages' dashboard JSON from stack/dashboards
	$(BIN)/python -m dashboards

lock: ## pin all dependencies anew (requirements*.lock)
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 --group dev pyproject.toml -o requirements-dev.lock

install: .venv/.installed-dev ## the environment, with the test tools

# One script makes .venv whatever the machine lacks, so that `make run` and `make test` are all there is to do.
.venv/bin/uv:
	@UV_VERSION=$(UV) bash ./bootstrap.sh

.venv/.installed: .venv/bin/uv requirements.lock pyproject.toml
	@echo "Installing into .venv …"
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@
