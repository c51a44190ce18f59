# Everything one does here, each as one word. Python 3.11 and make are all that has to be there before.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON_HERE := .venv/bin/python
PREPARE := @sh deploy/local/bootstrap.sh
WORKERS := 2 # processes that share out the test files
FAST_WORKERS := 4 # the fast tests wait for clocks more than they compute
FAST := not (database or rabbit or nginx or node or browser or system or crash or thorough)

unexport PYTHONDONTWRITEBYTECODE # containers set it; each test process would then compile all tests anew

.PHONY: help run stop status test test-fast fast-tests check types-and-imports fix bench crash contracts admin-token clean

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## bring the whole product up here, with a demo tenant; Ctrl-C stops it, data stays
	$(PREPARE) servers
	@$(PYTHON_HERE) -m deploy.local run

stop: ## stop what `make run` started, also what a killed one left behind
	$(PREPARE)
	@$(PYTHON_HERE) -m deploy.local stop

status: ## show what runs here, and with which process ids
	$(PREPARE)
	@$(PYTHON_HERE) -m deploy.local status

test: ## all tests, with a real broker and database of their own (ARGS="-k name" narrows them)
	$(PREPARE) servers nginx npm chromium
	@$(PYTHON_HERE) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-fast: ## the tests that need no server
	$(PREPARE)
	@$(MAKE) fast-tests

check: ## format, lint, types, import rules and the fast tests: what every change has to pass
	$(PREPARE)
	@$(PYTHON_HERE) -m ruff format --check .
	@$(PYTHON_HERE) -m ruff check .
	@$(MAKE) --jobs=2 --output-sync types-and-imports fast-tests

types-and-imports:
	@$(PYTHON_HERE) -m mypy
	@.venv/bin/lint-imports

fast-tests:
	@$(PYTHON_HERE) -m pytest -q -n $(FAST_WORKERS) --dist loadfile -m "$(FAST)" $(ARGS)

fix: ## format, and repair what the linter can repair
	$(PREPARE)
	@$(PYTHON_HERE) -m ruff format .
	@$(PYTHON_HERE) -m ruff check --fix .

bench: ## measure latency and dispatch rate beside their references (ARGS are passed on)
	$(PREPARE) servers
	@$(PYTHON_HERE) -m tests.bench $(ARGS)

crash: ## kill services, broker and database while messages flow, and count (ARGS are passed on)
	$(PREPARE) servers
	@$(PYTHON_HERE) -m tests.crash $(ARGS)

contracts: ## write the schema files of all messages on the bus, the OpenAPI documents and the page of events
	$(PREPARE)
	@$(PYTHON_HERE) -m shared.contracts.schemas
	@$(PYTHON_HERE) -m services.gateway.openapi.files
	@$(PYTHON_HERE) -m services.webhooks.events_page

admin-token: ## print a bearer token for /admin, valid for an hour
	$(PREPARE)
	@$(PYTHON_HERE) -m deploy.local admin-token

clean: ## stop everything, tests as well, then remove .local (with its data!), .venv and all caches
	@if [ -x $(PYTHON_HERE) ]; then $(PYTHON_HERE) -m deploy.local stop-all; fi
	@rm -rf .local .venv tests/compat/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
