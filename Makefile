# Slipway: `make help` lists what can be done here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FLASK := $(BIN)/flask --app wsgi

.PHONY: help run dev test check format bench faults

help: ## Say what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

run: $(VENV)/runs ## Set everything up, then serve: dependencies, database, demo content, server and worker
	@$(FLASK) prepare
	@exec $(FLASK) serve

dev: $(VENV)/runs ## Serve one process that reloads code and re-reads content on each change
	@DEBUG=true $(FLASK) prepare
	@DEBUG=true exec $(FLASK) run --debug --port $${PORT:-8000}

test: $(VENV)/tests ## Run the whole suite; ends by saying what it left out
	@$(BIN)/python -m pytest -n $${TEST_WORKERS:-2} --dist loadgroup

check: $(VENV)/tests ## Check format, lint, types; what CI runs besides the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: $(VENV)/tests ## Rewrite the code in the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/tests ## Measure the full stack beside bare Flask and other programs; BENCH=list,scale for a part
	@$(BIN)/python -m tests.bench

faults: $(VENV)/tests ## Kill, stop, freeze and fill what it runs on; FAULTS=kill-worker STORE=sqlite for a part
	@$(BIN)/python -m tests.faults

$(VENV)/runs: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/tests: requirements.txt requirements-dev.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(VENV)/runs $@
