# `make demo` and `make test` do all the set-up that they need; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
# nextest where it is installed: it runs each test in a process of its own and is quicker.
TESTS := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo nextest run --no-fail-fast || echo test --no-fail-fast)
DEMO_OUT := target/demo-out

.PHONY: help demo test check fmt model faults soak bench hot-paths simulate-check upgrade-test elastic release up down

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: ## export a small corpus with the embedded defaults and show what came out
	$(CARGO) build --profile demo --no-default-features -p spanfleet
	! grep -qa SPANFLEET_CRASH_AT target/demo/spanfleet # the crash points are for tests alone
	scripts/demo.sh target/demo/spanfleet $(DEMO_OUT)

test: check ## install what is missing, then run everything against real servers
	scripts/setup-test-servers.sh
	$(CARGO) build --workspace --bins --tests
	target/debug/with-servers -- $(CARGO) $(TESTS) --workspace
	scripts/check-readers.sh target/debug/spanfleet
	scripts/check-deploy.sh

check: ## formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

fmt: ## format everything
	$(CARGO) fmt --all

model: ## the protocol searched exhaustively, at a size that takes minutes
	SPANFLEET_MODEL_LARGE=1 $(CARGO) test -p spanfleet-model -- --nocapture

faults: ## every fault of the protocol's list, those that take minutes too
	scripts/setup-test-servers.sh
	$(CARGO) build --workspace --bins --tests
	target/debug/with-servers --without-radosgw -- $(CARGO) nextest run --no-fail-fast --workspace --run-ignored all -E 'test(/^(faults|lives)::/) | package(spanfleet-model)'

soak: ## random faults against a fleet for MINUTES=30, with a report
	scripts/setup-test-servers.sh
	$(CARGO) build --workspace --bins --tests
	target/debug/soak $(or $(MINUTES),30) $(SEED)

bench: ## everything that docs/performance.md says, measured anew; PARTS="jobs memory" for some of it
	scripts/setup-test-servers.sh
	scripts/setup-readers.sh --for-bench
	$(CARGO) build --release -p spanfleet
	$(CARGO) build --release -p spanfleet-bench -p spanfleet-tests --bins
	SPANFLEET_BIN=$(CURDIR)/target/release/spanfleet target/release/with-servers --without-radosgw -- target/release/spanfleet-bench $(PARTS)
	target/release/spanfleet-bench report

hot-paths: ## time the loops that an export spends its time in, each alone
	$(CARGO) bench -p spanfleet-hot-paths

simulate-check: ## measure costs, and hold `spanfleet simulate` against 1, 2 and 4 real workers
	scripts/setup-test-servers.sh
	$(CARGO) build --release -p spanfleet
	$(CARGO) build --workspace --bins --tests
	SPANFLEET_BIN=$(CURDIR)/target/release/spanfleet target/debug/with-servers --without-radosgw -- target/debug/forecast 200000 target/costs.json

upgrade-test: ## the previous version beside this one, in both directions and back
	scripts/setup-test-servers.sh
	previous=$${SPANFLEET_PREVIOUS_BIN:-$$(scripts/previous.sh)}; \
	$(CARGO) build --workspace --bins --tests; \
	SPANFLEET_PREVIOUS_BIN=$$previous target/debug/with-servers --without-radosgw -- $(CARGO) nextest run --no-fail-fast --workspace --run-ignored only -E 'test(/^upgrades::/)'

elastic: ## scale real workers 1-4-1 by the signal that the chart's autoscaler uses
	scripts/setup-test-servers.sh
	$(CARGO) build --workspace --bins
	target/debug/with-servers --without-radosgw -- scripts/check-deploy.sh --elastic

release: ## archives of the binary with licences and bill of materials
	scripts/release.sh

up: ## a fleet on private servers on this machine, until `make down`
	scripts/setup-test-servers.sh
	$(CARGO) build -p spanfleet -p spanfleet-tests --bins
	scripts/fleet.sh up

down: ## stops what `make up` started
	scripts/fleet.sh down
