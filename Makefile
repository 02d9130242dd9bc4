# Two commands matter: make demo and make test. The first target here is help.
PYTHON := .venv/bin/python
READY  := .venv/ready node_modules/.ready

.DEFAULT_GOAL := help
.PHONY: help demo serve test check quick chromium images faults simulate simulate-planted bench stored clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## run the main job on a sample, here, and compare the list with what it should be
	@$(PYTHON) -m local.demo

serve: $(READY) ## the same, left running for you to try
	@$(PYTHON) -m local.demo --serve

test: $(READY) .venv-checkov/ready chromium ## every test, the fast ones first, on several processors
	@$(PYTHON) -m pytest -q --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

quick: $(READY) ## the tests that start no processes of their own and play no worlds
	@$(PYTHON) -m pytest -q -m "not slow"

check: $(READY) ## lint, types, and who may import whom
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

images: $(READY) chromium ## the pictures of the console for the documents, into docs/images
	@PYTHONPATH=. $(PYTHON) tests/console_images.py

faults: $(READY) ## kill workers, lose messages, let storage and Campaign Monitor fail, and see that nothing is lost: 40 minutes
	@$(PYTHON) -m local.faults --kills 25 --profiles 100000 --seed 1 --losses --ground --storm

# One world with SEED, its story with TRACE=1; otherwise SEEDS of them from FROM on.
SEEDS ?= 1000
FROM  ?= 0
simulate: $(READY) ## simulated worlds: make simulate SEEDS=1000 FROM=0, or SEED=17 TRACE=1 for the story of one
	@$(PYTHON) -m local.simulation $(if $(SEED),--seed $(SEED) $(if $(TRACE),--trace),--seeds $(SEEDS) --from $(FROM) --jobs 2)

simulate-planted: $(READY) ## whether the simulation finds mistakes that are planted on purpose: hours
	@$(PYTHON) -m local.simulation.planted

bench: $(READY) .bench/.ready ## how fast it is, how much it takes, and what others need: into bench/results.md
	@$(PYTHON) -m bench

stored: $(READY) ## where stored records have another shape: keep tests/stored/now as NAME, and write it anew
	@PYTHONPATH=.:tests $(PYTHON) tests/stored_records.py $(NAME)

clean: ## remove what was made here
	rm -rf .venv .venv-checkov .bench node_modules .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/ready: requirements.txt requirements-dev.txt
	@python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null \
	  || { echo "Python 3.13 is needed, as the command python3: install it, then try again." >&2; exit 1; }
	@python3 -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

node_modules/.ready: package.json package-lock.json
	@command -v npm >/dev/null 2>&1 \
	  || { echo "Node 20 or newer with npm is needed, for the storage emulator: install it, then try again." >&2; exit 1; }
	@npm ci --no-fund --no-audit --loglevel=error
	@touch $@

# The browser that the tests of the console drive. With fonts for many scripts the pictures look the same everywhere.
chromium:
	@command -v chromium >/dev/null 2>&1 \
	  || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium fonts-noto-core; } >/dev/null 2>&1 \
	  || { echo "Chromium is needed, as the command chromium, to test the console: install it, then try again." >&2; exit 1; }

.venv-checkov/ready: requirements-checkov.txt
	@python3 -m venv .venv-checkov
	@.venv-checkov/bin/pip install --quiet --disable-pip-version-check -r requirements-checkov.txt
	@touch $@

.bench/.ready: bench/requirements.txt .venv/ready
	@$(PYTHON) -m venv .bench
	@.bench/bin/pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@touch $@
