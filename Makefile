# One command for everything. `make help` lists what there is.

PYTHON ?= python3
PORT ?= 8000
SANDBOX_PORT ?= 8101
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
TEST_DATA := var/test

.DEFAULT_GOAL := help
.PHONY: help demo test torture setup bench format check-demo lock runtime dev

help: ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: runtime ## Start the demonstration; FRESH=1 starts over, PORT= and SANDBOX_PORT= choose other ports
	@exec $(MANAGE) demo --port $(PORT) --sandbox-port $(SANDBOX_PORT) $(if $(FRESH),--fresh)

test: dev ## Run every check: lint, format, types, imports, migrations, deployment, tests
	@rm -rf $(TEST_DATA)
	$(call step,Lint,$(BIN)/ruff check .)
	$(call step,Format,$(BIN)/ruff format --check .)
	$(call step,Types,$(BIN)/mypy portal connections mappings syncops)
	$(call step,Direction of imports,$(BIN)/lint-imports)
	$(call step,Missing migrations,$(CHECKED) makemigrations --check --dry-run)
	$(call step,System checks,$(CHECKED) check)
	$(call step,System checks for deployment,PORTAL_PUBLIC_URL=https://portal.example $(CHECKED) check --deploy --fail-level WARNING)
	$(call step,Static files,$(CHECKED) collectstatic --noinput --verbosity 0)
	$(if $(TEST_POSTGRES_URL),$(call step,Tests on PostgreSQL,$(ON_POSTGRES) $(PYTEST) -q -m 'database and not browser' $(DATABASE_TESTS)),$(WITHOUT_POSTGRES))
	$(call step,Tests,$(PYTEST) tests)

torture: dev ## Play 5,000 random histories of lines (about half an hour); HISTORIES= other numbers, HISTORY= one of them
	@RANDOM_HISTORIES=$(or $(HISTORIES),5000) $(PYTEST) -q -x --show-capture=no tests/syncops/test_random_histories.py

setup: runtime ## Install for real use: packages, database tables, static files
	@folder="$${PORTAL_DATA_DIR:-data}"; if [ -e "$$folder/demonstration.json" ]; then \
	  echo "$$folder holds the demonstration, whose passwords everybody knows. Move it away, or choose another folder: PORTAL_DATA_DIR=/a/folder" >&2; exit 1; fi
	@$(MANAGE) migrate --no-input
	@$(MANAGE) collectstatic --no-input --verbosity 0
	@echo "Ready. Next: $(MANAGE) bootstrap --name … --currency EUR --admin-email …  (see README.md)"

check-demo: runtime ## Run the main job headless against a fresh sandbox, and prove it
	@exec $(MANAGE) demo --check

bench: dev ## Measure, and write var/bench.json; NAME= runs one benchmark
	@exec $(BIN)/python -m tests.benchmarks $(NAME)

format: dev ## Format the code and sort its imports
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

# Renews both lock files from pyproject.toml. They carry hashes and no registry address: uv takes those from its own
# configuration and does not write them down.
lock: ## Renew the lock files (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --quiet --upgrade pyproject.toml --output-file requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --quiet --constraint requirements.txt --group dev pyproject.toml --output-file requirements-dev.txt

CHECKED = PORTAL_DATA_DIR=$(TEST_DATA) $(MANAGE)
PYTEST = $(BIN)/pytest -n 2 --dist loadgroup
ON_POSTGRES = DATABASE_URL=$(TEST_POSTGRES_URL) RANDOM_HISTORIES=20
DATABASE_TESTS = tests/connections tests/mappings tests/portal tests/syncops

define WITHOUT_POSTGRES
@printf '\n== Tests on PostgreSQL: skipped. TEST_POSTGRES_URL is not set: apt-get install postgresql, see README.md\n'
endef

define step
	@printf '\n== %s\n' '$(1)'; $(2) || { printf '\nmake test stopped at: %s\n' '$(1)' >&2; exit 1; }
endef

runtime:
	@$(call install,requirements.txt)

dev:
	@$(call install,requirements-dev.txt)

define install
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
  $(PYTHON) --version >/dev/null 2>&1 || { echo "There is no $(PYTHON) here. On Debian and Ubuntu: apt-get install python3 python3-venv" >&2; exit 1; }; \
  echo "$$($(PYTHON) --version) is too old: Python 3.11 or newer is needed. Choose another: make PYTHON=python3.12 …" >&2; exit 1; }; \
$(PYTHON) -P portal/install.py $(1)
endef
