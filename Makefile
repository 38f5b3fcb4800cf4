# Every target works from a bare checkout. `make` alone lists them.
PYTHON ?= python3
BENCH ?= embed ingest
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install demo model up down status test lint format bench faults clean lock env-example data-dictionary

help: ## List the targets
	@echo "Tidemark: make TARGET [PYTHON=python3.12] [TORCH_INDEX_URL=URL]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## Make .venv with what the lock files name (quick when nothing changed)
	@$(PYTHON) scripts/install.py

demo: install ## Start everything, ingest the sample corpus, search it, answer from it
	@$(BIN)/python -m include.platform.demo

model: install ## Fetch the local language model (0.5 GB, checked), which `up` then starts
	@$(BIN)/python -m include.platform.model

up: install ## Start Postgres, Airflow, the query service and the local model
	@./tidemark up

down: ## Stop everything; the data stay
	@if [ -x $(BIN)/python ]; then ./tidemark down; fi

status: ## Say what runs and what to do where something does not
	@./tidemark status

test: install ## Run the test suite
	$(BIN)/pytest -m "not faults"

lint: install ## Check style, types, import rules and SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar sql

format: install ## Bring Python and SQL files into the house style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --disable-progress-bar sql

bench: install ## Run benchmarks (BENCH="embed ingest")
	@for name in $(BENCH); do ./tidemark bench $$name || exit 1; done

faults: install ## Run the long tests that kill processes at random
	$(BIN)/pytest -m faults

clean: down ## Stop everything; remove .venv and tool caches (the data stay)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

lock: install ## Compile requirements*.in into the locks (UPGRADE=1 takes newer versions)
	$(BIN)/python scripts/lock.py $(if $(UPGRADE),--upgrade)

env-example: install ## Write .env.example from the settings
	PYTHONPATH=. $(BIN)/python scripts/env_example.py

data-dictionary: install ## Write docs/data-dictionary.md from the definition of the views
	PYTHONPATH=. $(BIN)/python scripts/data_dictionary.py
