# Two commands do everything: `make demo` and `make test`. Each creates .venv from the pinned, hashed locks first.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
REPORT := src/noroshi/report/static/report.js

.PHONY: demo test test-peers lint lock web bench bench-peers bench-tracking-peers docs clean help

help:            ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/.ready: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(REPORT): $(VENV)/.ready web/package.json web/package-lock.json web/build.mjs $(wildcard web/src/*)
	$(BIN)/python web/build.py

web: $(REPORT)   ## build the front-end pieces of the report with the pinned Node

demo: $(REPORT)  ## run the bundled scenario hokkaido-2017 and say where its report is
	$(BIN)/noroshi run hokkaido-2017 --out runs/demo --force
	@echo "report: $(CURDIR)/runs/demo/report.html"

test: $(REPORT) lint  ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadscope

$(VENV)-peers/.ready: requirements/peers.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.txt
	$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

test-peers: $(VENV)-peers/.ready  ## cross-checks against Orekit, Skyfield and sgp4, in an environment of their own
	$(VENV)-peers/bin/python -m pytest tests/peers

$(VENV)-bench/.ready: requirements/bench-peers.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench-peers.txt
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

bench-peers: $(VENV)-bench/.ready  ## coverage beside brahe, Skyfield, Orekit, TAT-C and NumPy, in an environment of their own
	$(VENV)-bench/bin/python -m benchmarks.peers_coverage $(ARGS)

$(VENV)-bench-tracking/.ready: requirements/bench-tracking.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-bench-tracking
	$(VENV)-bench-tracking/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench-tracking.txt
	$(VENV)-bench-tracking/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

bench-tracking-peers: $(VENV)-bench-tracking/.ready  ## HGT-24 by Stone Soup, in an environment of its own (20 minutes)
	$(VENV)-bench-tracking/bin/python -m benchmarks.peers_stonesoup $(ARGS)

lint: $(VENV)/.ready  ## ruff, pyright, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --warnings
	$(BIN)/lint-imports

bench: $(REPORT)  ## print the table of measured figures
	$(BIN)/python -m benchmarks.run

lock: $(VENV)/.ready  ## renew the pinned and hashed locks (Python 3.11) and web/package-lock.json
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/python -m pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' pyproject.toml -o requirements/run.txt
	$(VENV)-lock/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	$(VENV)-lock/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --extra peers -c requirements/run.txt pyproject.toml -o requirements/peers.txt
	$(VENV)-lock/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --extra bench -c requirements/run.txt pyproject.toml -o requirements/bench-peers.txt
	$(VENV)-lock/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --extra bench-tracking -c requirements/run.txt pyproject.toml -o requirements/bench-tracking.txt
	rm -rf $(VENV)-lock
	$(BIN)/python web/build.py --lock

clean:           ## remove what the targets made, the environment included
	rm -rf $(VENV) $(VENV)-peers $(VENV)-bench $(VENV)-bench-tracking runs web/node_modules src/noroshi/report/static
