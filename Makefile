# Every target runs set-up first: a few seconds when there is nothing to do. `make help` lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup doctor up preview down audit check test test-unit test-mocks test-contract test-providers test-e2e test-docs example lint bench-noop bench-release mutations lock

PYTHON ?= python3
STACK ?= dev
DATA ?=
NAME ?=
YES ?=
ENGINE ?=
STORE ?= overlay2
SHORT ?=
WITHOUT ?=
ARGS ?=
run := . .slipway/environment && .venv/bin/python -m
pytest := $(run) pytest $(ARGS)
# Tests of one file share what they made, so they stay together; the longest files come first (pyproject.toml).
parallel := --numprocesses=3 --dist=loadfile --no-loadscope-reorder
release := bench.release $(if $(SHORT),--short) $(if $(WITHOUT),--without '$(WITHOUT)')
engine := $(PYTHON) offline/engine/engine.py --store $(STORE)
compile := .venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## get everything needed; AGAIN=1 decides every part anew
	@PYTHON=$(PYTHON) sh slipway/setup/bootstrap.sh setup $(if $(AGAIN),--again)

doctor: ## say what set-up chose and what is missing
	@PYTHON=$(PYTHON) sh slipway/setup/bootstrap.sh doctor

up: setup ## make the site as it is declared and say where it is; STACK=prod
	@$(run) slipway.cli up --stack '$(STACK)' $(if $(YES),--yes)

preview: setup ## what `up` would change, and what was stopped or removed by hand; STACK=prod
	@$(run) slipway.cli preview --stack '$(STACK)'

down: setup ## take the site down; DATA=delete deletes its data as well, after asking (YES=1 does not ask); STACK=prod
	@$(run) slipway.cli down --stack '$(STACK)' $(if $(filter delete,$(DATA)),--delete-data) $(if $(YES),--yes)

audit: setup ## judge a running prod stack from outside: a table, and bench/results/audit.json
	@$(run) slipway.audit --stack '$(if $(filter file,$(origin STACK)),prod,$(STACK))'

example: setup ## bring one of examples/ up, check it and take it down; NAME=rooms
	@test -f 'examples/$(NAME)/Pulumi.yaml' || { echo "make example NAME=…, one of:" $(notdir $(patsubst %/,%,$(dir $(wildcard examples/*/Pulumi.yaml)))); exit 2; }
	$(pytest) -v 'examples/$(NAME)'

lint: setup ## style, types, and who imports whom
	$(run) ruff check
	$(run) ruff format --check --quiet
	$(run) mypy
	$(run) mypy offline/tests
	. .slipway/environment && .venv/bin/lint-imports --no-logo --no-cache

check: lint ## style, types, unit and mocks tests: under two minutes, before every commit
	$(pytest) $(parallel) tests/unit tests/mocks

test: lint ## everything that CI runs; of Pulumi and the offline kit where they changed (test-contract)
	$(pytest) $(parallel) $$($(run) tests.support.proven)

test-unit: setup ## the tests that need no engine and no Pulumi
	$(pytest) tests/unit services examples/*/services

test-mocks: setup ## the whole program under Pulumi's mocks
	$(pytest) tests/mocks

test-contract: setup ## what Slipway relies on in Pulumi and its docker plugin, genuine or of the offline kit
	$(pytest) $(parallel) tests/contract offline/tests
	$(if $(ARGS),,$(run) tests.support.proven --note)

test-providers: setup ## Slipway's own dynamic resources, and what nginx, gunicorn and Postgres make of its texts
	$(pytest) $(parallel) tests/providers tests/servers

test-e2e: setup ## on a real engine, the examples too; ENGINE=28: on Debian testing's Docker 28, with the contract tests; STORE=containerd: with the image store of Docker 29
ifeq ($(ENGINE),28)
	$(engine) run -- sh -c '. .slipway/environment && export DOCKER_HOST=$$SLIPWAY_ENGINE && .venv/bin/python -m pytest $(ARGS) $(parallel) tests/contract tests/servers tests/e2e examples'
else
	$(pytest) $(parallel) tests/e2e examples
endif

test-docs: setup ## the commands of README and docs/, typed in a clone of the last commit
	$(pytest) tests/docs

bench-noop: setup ## how long an `up` with nothing to do takes
	$(run) bench.noop

bench-release: setup ## releases under load, with figures (about 40 minutes; SHORT=1: five)
ifeq ($(ENGINE),28)
	$(engine) run -- sh -c '. .slipway/environment && export DOCKER_HOST=$$SLIPWAY_ENGINE && .venv/bin/python -m $(release)'
else
	$(run) $(release)
endif

mutations: setup ## break each behaviour of the offline docker plugin on purpose and see its contract test fail (long)
	$(run) tests.contract.mutations

lock: setup ## write every lock file anew
	$(compile) pyproject.toml --group dev -o requirements.lock
	$(foreach service,$(wildcard services/*/requirements.in slipway/images/*/requirements.in examples/*/services/*/requirements.in),$(compile) $(service) -o $(service:.in=.txt) &&) true
