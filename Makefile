# The front door. `make run` and `make test` need nothing but this file and a Debian machine.
PORT      ?= 30001
WORKSPACE ?= workspace
PROMPT    ?= What is the secret word in note.txt?
BINARY    := build/release/boxagnts

.PHONY: help run demo build test bench bench-call bench-grep bench-runtime soak crash format check clean bootstrap weights
.DEFAULT_GOAL := help

help:
	@echo 'make run    install what is missing, build, fetch the small model, start on http://127.0.0.1:$(PORT)'
	@echo '            (PORT=… WORKSPACE=…)'
	@echo 'make demo   one headless turn with the small model, no network: it reads a file in the sandbox'
	@echo 'make build  $(BINARY)'
	@echo 'make test   everything that CI runs'
	@echo 'make bench  figures, side by side with peers of this machine; bench-runtime: many runs at once'
	@echo 'make soak   100,000 calls in a row: what server and worker hold before and after'
	@echo 'make crash  1,000 kills under load: nothing acknowledged is lost (BX_CRASH_KILLS=…)'
	@echo 'make check  rooms, banned calls, format'

bootstrap:
	@scripts/bootstrap.sh

build: bootstrap
	@mkdir -p build
	@cmake --preset release >build/configure.log || { tail -n 40 build/configure.log; exit 1; }
	@cmake --build --preset release

weights: bootstrap
	@scripts/weights.sh

run: build weights
	@mkdir -p '$(WORKSPACE)'
	@$(BINARY) serve --workspace-dir '$(WORKSPACE)' --port $(PORT)

demo: build weights
	@scripts/demo.sh $(BINARY) '$(PROMPT)'

test:
	@scripts/bootstrap.sh test
	@scripts/test.sh

bench: build
	@bench/run.sh $(BINARY)

crash: build
	@BOXAGNTS=$(BINARY) SCRIPTED_ENDPOINT=build/release/scripted_endpoint BX_CRASH_KILLS=$${BX_CRASH_KILLS:-1000} \
	    python3 tests/flow/test_crash.py

bench-runtime: build
	@bench/run.sh $(BINARY) runtime

soak: build
	@build/release/unit_box_test_load 100000

bench-grep: build
	@python3 bench/tree.py $${XDG_CACHE_HOME:-$$HOME/.cache}/boxagnts-build/bench-tree
	@build/release/bench-grep $${XDG_CACHE_HOME:-$$HOME/.cache}/boxagnts-build/bench-tree

bench-call: build
	@build/release/bench-call

check:
	@python3 scripts/check_rooms.py
	@scripts/format.sh --check

format:
	@scripts/format.sh

clean:
	rm -rf build
