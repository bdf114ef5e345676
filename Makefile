# SPDX-License-Identifier: MIT
#
# The front door. CMakeLists.txt knows how things are built; this knows what people
# ask for. "make help" lists it.

PREFIX ?= /usr/local
CMAKE_FLAGS ?=

.DEFAULT_GOAL := all

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## install the Debian packages that are missing (root or sudo)
	@tools/setup build test bench

# A plain build installs nothing: it says what is missing.
.PHONY: all
all: ## build/ringside, build/drivers/*.sys, build/libringside.a
	@tools/setup --check build
	@$(MAKE) --no-print-directory ninja

.PHONY: ninja
ninja:
	@mkdir -p build
	@cmake -S . -B build -G Ninja $(CMAKE_FLAGS) >build/configure.log 2>&1 || \
		{ cat build/configure.log; exit 1; }
	@cmake --build build $(if $(TARGETS),--target $(TARGETS))

.PHONY: demo
demo: ## watch a driver guard a live process tree
	@tools/setup build
	@$(MAKE) --no-print-directory ninja TARGETS='ringside-cli driver-warden'
	@demo/demo build

.PHONY: test
test: ## every test, in every build, with lint and fuzzing
	@tools/setup build test
	@tools/test

.PHONY: bench
bench: ## what callbacks, drivers and the live tree cost
	@tools/setup build bench
	@$(MAKE) --no-print-directory ninja
	@tools/bench build

.PHONY: fuzz
fuzz: ## every fuzz target, FUZZ_SECONDS (600) each
	@tools/setup build test
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-600} tools/test asan fuzz

.PHONY: format
format: ## lay out the sources as .clang-format says
	@tools/setup test
	@git ls-files '*.c' '*.h' | xargs clang-format -i

.PHONY: lint
lint: ## clang-tidy and cppcheck
	@tools/setup build test
	@tools/lint

.PHONY: install
install: ## install below PREFIX (/usr/local), DESTDIR honoured
	@$(MAKE) --no-print-directory all CMAKE_FLAGS="$(CMAKE_FLAGS) -DCMAKE_INSTALL_PREFIX='$(PREFIX)'"
	@DESTDIR='$(DESTDIR)' cmake --install build

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build build-clang build-asan build-tsan
