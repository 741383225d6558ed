# One runner for people and CI. Every target does its own set-up; `make demo` on a bare machine is enough.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# Behind a proxy that intercepts TLS, builds get the host's certificate authorities as an optional build secret.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export SSL_CERT_FILE ?= /etc/ssl/certs/ca-certificates.crt
endif

.PHONY: help setup engine demo release-demo test lint types bench docs generate screenshots new-rule clean
.DEFAULT_GOAL := help

help: ## show what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

$(READY): requirements/dev.txt pyproject.toml scripts/venv
	scripts/venv $(PYTHON)
	@touch $@

setup: $(READY) ## a virtual environment with everything pinned

engine: ## a Docker engine and the base images, where there are none
	scripts/engine up
	scripts/base-images

demo: setup engine ## take the reference stack from Dockerfile to verdict
	$(BIN)/hullmark -C examples/tale check

release-demo: setup engine ## release the reference stack for two platforms, one of them emulated; takes half an hour
	$(BIN)/python scripts/release-demo

test: setup engine ## all tests, on a real engine
	$(BIN)/python -m pytest -n auto --dist loadgroup

lint: setup ## ruff, ShellCheck
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/shellcheck --external-sources scripts/engine scripts/base-images scripts/browser scripts/emulation scripts/postgres scripts/registry scripts/venv .ci/run

types: setup ## mypy, strict
	$(BIN)/mypy

bench: setup engine ## every benchmark, as ratios
	for benchmark in benchmarks/*.py; do $(BIN)/python $$benchmark || exit 1; done

generate: setup ## rule pages, tables and schemas, from the code
	$(BIN)/python scripts/generate

screenshots: setup engine ## pictures of the HTML report of the reference stack, for the documents
	@mkdir -p .cache
	$(BIN)/hullmark -C examples/tale check --report html=$(CURDIR)/.cache/tale.html
	$(BIN)/python scripts/screenshots .cache/tale.html

docs: generate screenshots ## the same, and every example and link tried
	$(BIN)/python -m pytest -n auto tests/docs

new-rule: setup ## stubs of a new rule: make new-rule TARGET=dockerfile NAME=my-rule
	$(BIN)/python scripts/new-rule $(TARGET) $(NAME)

clean: ## remove everything that was made here; the engine stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
