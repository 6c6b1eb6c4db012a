# The two commands most people need: `make run` and `make test`. `make help` lists the rest.

.DEFAULT_GOAL := help
ARGS ?=

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: ## Install what is missing, build, start on port 6379; ARGS='--port 6380' and the like
	@scripts/deps.sh build
	@cmake --preset release > /dev/null
	@cmake --build --preset release --target larder-server
	@scripts/run.sh $(ARGS)

.PHONY: deps
deps: ## Install every Debian package that building and testing needs
	@scripts/deps.sh all

.PHONY: check
check: deps ## The quick loop: debug build, all tests but the sanitizers', format of changed files
	@scripts/format.sh --changed
	@scripts/check_includes.py
	@cmake --preset debug > /dev/null
	@cmake --build --preset debug
	@ctest --preset debug

.PHONY: test
test: ## Everything that CI runs
	@scripts/test.sh

.PHONY: bench
bench: deps release ## Larder beside redis-server: table, Markdown and plots in benchmarks/results
	@/usr/bin/python3 benchmarks/compare.py $(ARGS)

.PHONY: bench-hitratio
bench-hitratio: deps ## Real traces against Larder, Redis and memcached; ARGS='--traces DIR' and the like
	@cmake --preset release > /dev/null
	@cmake --build --preset release --target larder-server
	@/usr/bin/python3 benchmarks/hitratio.py $(ARGS)

.PHONY: bench-churn
bench-churn: deps release ## Whether maxmemory holds under churn, beside redis-server; ARGS='--seconds 60'
	@/usr/bin/python3 benchmarks/churn.py $(ARGS)

.PHONY: bench-stampede
bench-stampede: deps ## Who protects the origin when values expire; ARGS=--quick and the like
	@cmake --preset release > /dev/null
	@cmake --build --preset release --target larder-server
	@/usr/bin/python3 benchmarks/stampede.py $(ARGS)

.PHONY: bench-micro
bench-micro: deps release ## The micro-benchmarks; ARGS='--benchmark_filter=...' and the like
	@for program in build/release/benchmarks/larder_*_bench; do $$program $(ARGS) || exit 1; done

.PHONY: release
release:
	@cmake --preset release > /dev/null
	@cmake --build --preset release

.PHONY: compat
compat: deps release ## Does a stranger see Redis? Three judges; writes redis-compat/REPORT.md
	@LARDER_SERVER=$(CURDIR)/build/release/larder-server redis-compat/run.sh redis-compat/REPORT.md

.PHONY: fuzz
fuzz: deps ## Fuzz every parser; FUZZ_SECONDS=600 for longer than a look
	@cmake --preset fuzz > /dev/null
	@cmake --build --preset fuzz
	@scripts/fuzz.sh $(or $(FUZZ_SECONDS),20)

.PHONY: format
format: deps ## Lay out the sources as .clang-format says
	@scripts/format.sh

.PHONY: lint
lint: deps ## clang-tidy over everything, or over FILES='...'
	@scripts/lint.sh $(FILES)

.PHONY: install
install: ## Install the release build; PREFIX=/usr/local
	@scripts/deps.sh build
	@cmake --preset release > /dev/null
	@cmake --build --preset release --target larder-server
	@cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf build
