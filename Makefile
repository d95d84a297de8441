# Everything here needs Python 3.11 or newer, make and git. Each target makes its own environment in .venv and
# installs again only when pyproject.toml has changed.

VENV := .venv
BIN := $(VENV)/bin
RUN_FOR ?=
PYTEST_ARGS ?=
JOBS ?= 2
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help run test lint fmt bench clean browser

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.installed ## Run three paper engines and the page that shows them (RUN_FOR=60s ends it)
	@$(BIN)/drift-engine serve $(if $(RUN_FOR),--for $(RUN_FOR))

test: lint browser ## Run the linters, then every test with the coverage gate
	@$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report= --complete core --complete execution/safety_gates.py $(PYTEST_ARGS)

browser:
	@sh scripts/get-browser

lint: $(VENV)/.installed-dev ## Check style, types and the import layers
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

fmt: $(VENV)/.installed-dev ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(VENV)/.installed ## Measure speed, also of peers in environments of their own (BENCH_ARGS=--help)
	@$(BIN)/python -m benchmarks.run $(BENCH_ARGS)

clean: ## Remove environments, caches and reports; journals in .drift-engine stay
	@rm -rf $(VENV) .bench .screenshots .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@sh scripts/make-venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	@echo "installing drift-engine into $(VENV)"
	@$(PIP) install -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing the development tools into $(VENV)"
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --group dev
	@$(PIP) install --no-deps --group native
	@touch $@
