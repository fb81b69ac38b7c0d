# Five commands: demo, test, check, bench, docs. Needed: python3 (3.11 or newer) with venv, and make.
PYTHON ?= python3
BIN := .venv/bin

# A stamp carries the hash of what it was built from: `.venv` is rebuilt when a lock changes and at no other time.
hash = $(shell sha256sum $(1) | cut -c 1-12)
RUNTIME := .venv/.runtime-$(call hash,requirements/runtime.txt)
DEV := .venv/.dev-$(call hash,requirements/dev.txt)
PEERS := .venv-peers/.peers-$(call hash,requirements/peers.txt)
CLIENTS := .venv-clients/.clients-$(call hash,requirements/clients.txt)
SERVERS := .venv-servers/.servers-$(call hash,requirements/servers.txt)
FLYBALL := .venv/.flyball-$(call hash,pyproject.toml)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: demo test check bench docs venv test-slow lock

demo: $(RUNTIME) $(FLYBALL) ## the whole loop, two minutes
	$(BIN)/flyball demo

test: venv ## everything that Python alone can test, minutes excepted
	$(BIN)/python -m pytest --ignore=tests/docs --numprocesses auto --dist loadfile

check: venv ## style, types, arrows, dependencies, and every example of the documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/python -m pytest tests/docs

bench: venv $(PEERS) ## figures and ratios; judged by people, asserted nowhere
	$(BIN)/python -m benchmarks

docs: venv ## the documentation as a site/, a broken link is an error
	$(BIN)/sphinx-build --fail-on-warning --keep-going --nitpicky --builder html docs site

test-slow: venv $(CLIENTS) $(SERVERS) ## long calibrations, the demo, fifty kills
	$(BIN)/python -m pytest -m slow

venv: $(DEV) $(FLYBALL)

lock: ## needs uv; the locks hold versions and hashes, never an index
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile $(COMPILE) --extra charts --group build -o requirements/runtime.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile $(COMPILE) --all-extras --group dev -c requirements/runtime.txt -o requirements/dev.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile $(LOCKED) requirements/peers.in -o requirements/peers.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile $(LOCKED) requirements/clients.in -o requirements/clients.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile $(LOCKED) requirements/servers.in -o requirements/servers.txt

LOCKED := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links
COMPILE := $(LOCKED) pyproject.toml

$(RUNTIME): requirements/runtime.txt
	@echo "building .venv from requirements/runtime.txt: a minute or two"
	$(PYTHON) -m venv --clear .venv
	$(PIP) --no-deps --require-hashes -r requirements/runtime.txt
	@touch $@

$(DEV): $(RUNTIME)
	@echo "adding the tools of requirements/dev.txt"
	$(PIP) --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

$(PEERS): requirements/peers.txt
	@echo "building .venv-peers: the tools that the benchmarks compare with"
	$(PYTHON) -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r requirements/peers.txt
	@touch $@

$(CLIENTS): requirements/clients.txt
	@echo "building .venv-clients: clients of the protocols that cannot live beside ours"
	$(PYTHON) -m venv --clear .venv-clients
	.venv-clients/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r requirements/clients.txt
	@touch $@

$(SERVERS): requirements/servers.txt
	@echo "building .venv-servers: model servers that stand behind the gateway in tests"
	$(PYTHON) -m venv --clear .venv-servers
	.venv-servers/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r requirements/servers.txt
	@touch $@

$(FLYBALL): $(RUNTIME)
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
