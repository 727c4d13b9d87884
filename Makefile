# Every target sets the machine up first; a second run of the set-up costs a moment.
PY := .venv/bin/python
BIN := .venv/bin


.DEFAULT_GOAL := help
.PHONY: help setup demo up test property test-move check format bench synth package openapi lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install what is needed into .venv and node_modules, naming what is missing
	@infra/local/setup.sh

demo: setup ## Run the main job end to end on real data, into var/demo
	@$(BIN)/carbonmarket demo

up: setup ## Start the machine and leave it running until Ctrl-C
	@$(BIN)/carbonmarket up

test: setup ## Run the tests, engines and all
	@$(PY) -m infra.local.chain.compiler_cli framework >/dev/null
	@$(BIN)/pytest -n 3 --dist loadgroup --no-loadscope-reorder

property: setup ## Hold the market to its plain model through 100,000 random acts (MARKET_SEED chooses others)
	@MARKET_ACTS=100000 $(BIN)/pytest --timeout 7200 tests/move/test_market_property.py

check: setup ## Lint, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy layers/core/python/carbonmarket layers/adapters/python/carbonmarket_adapters
	$(BIN)/lint-imports

format: setup ## Format the Python code
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

bench: ## Measure, and print one JSON document
	@$(MAKE) --no-print-directory setup >&2
	@$(PY) -m infra.benchmarks

synth: setup ## Synthesise the CloudFormation templates, offline
	@npx --no-install cdk synth --quiet --output cdk.out

package: setup ## Build the Lambda layers' third-party wheels (arm64), without Docker
	@$(PY) -m infra.package

openapi: setup ## Write docs/openapi.json from the routes and the schemas
	@$(PY) -m infra.openapi

lock: ## Write constraints.txt from what .venv holds
	@$(BIN)/pip freeze --exclude-editable | grep -v '^pvanalytics' > constraints.txt

clean: ## Remove what was built; state under var/ too
	rm -rf build cdk.out var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache move/build
