# Targets for people and for CI. `make demo` and `make test` are all that a newcomer needs.

SHELL := /bin/bash

PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR  ?= $(PREFIX)/bin
UNITDIR ?= $(PREFIX)/lib/systemd/system
MANDIR  ?= $(PREFIX)/share/man
DOCDIR  ?= $(PREFIX)/share/doc/infrakit-manager
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d

DEBUG    := .build/debug
# Of its own: Swift's library is linked into these programs, and one folder cannot hold both kinds.
STATIC   := .build-release
OUT      := out
# Small files: what is not called is left out, function by function; no symbols for libraries that a program might load; the
# program's own addresses in a short form. LLVM's linker comes with Swift.
SMALL    := -Xswiftc -use-ld=lld -Xswiftc -Xfrontend -Xswiftc -function-sections \
	-Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs
# With TLS, which only Docker Engines at tcp:// addresses need: BoringSSL takes half of a build. What is installed has it;
# elsewhere, TLS=1 has.
TRAITS   := $(if $(TLS),--traits TLS)
BUILD    := swift build -c release --traits TLS --static-swift-stdlib --scratch-path $(STATIC) $(SMALL)
VERSION  := $(shell sed -n 's/^let version = "\(.*\)"$$/\1/p' Package.swift)
PROGRAMS := infrakit-manager infrakit
UNITS    := infrakit-manager.service infrakit-plugin-process.service

.PHONY: build test rules reference simulate faults torture model fuzz tsan bench golden format lint demo nfs-cost release manual install uninstall deb test-package clean packages

build: packages
	swift build $(TRAITS)

# One process for each target: all of them in one have stood still under load (CONTRIBUTING.md, Sleeping). TEST_JOBS of
# them at a time; the longest, which waits most, begins first.
TESTS := NFSTests IntegrationTests SimulationTests SwarmTests StoreTests CLITests ManagerTests PluginRPCTests GroupSPITests \
	PlatformTests TerminalTests DiffTests DocumentsTests FuzzTests HTTPClientTests ProcessGroupTests InfrakitCLITests
TEST_JOBS ?= 2
FAILED    := $(DEBUG)/failed-tests
RUN_TESTS := "$(DEBUG)/infrakit-managerPackageTests.xctest" --testing-library swift-testing

test: packages
	swift build $(TRAITS) --build-tests
	@rm -f "$(FAILED)"
	@$(MAKE) --no-print-directory --keep-going --jobs=$(TEST_JOBS) $(TESTS) || touch "$(FAILED)"
	@! [ -e "$(FAILED)" ] || { echo "These targets failed: $$(sort "$(FAILED)" | tr '\n' ' ')" >&2; false; }

# Those on an NFS server take six minutes, in which they wait most of the time.
$(TESTS): SELECTED = --filter '^$@\.'
IntegrationTests: SELECTED += --skip '^IntegrationTests\.NFS'
NFSTests: SELECTED = --filter '^IntegrationTests\.NFS'

# Whole lines, with the name before them: several targets write at the same time.
.PHONY: $(TESTS)
$(TESTS):
	@set -o pipefail; $(RUN_TESTS) $(SELECTED) 2>&1 \
		| sed -u -e 's/\x1b\[[0-9;]*m//g' -e 's/^/$@: /' || { echo $@ >>"$(FAILED)"; false; }

# Every rule of the simulation broken in turn, which it has to find.
rules: packages
	$(BUILD) --product simulate
	swift build $(TRAITS) --build-tests
	SIMULATE="$(CURDIR)/$(STATIC)/release/simulate" $(MAKE) SimulationTests

# Schedules of the simulation (CONTRIBUTING.md, Simulation), optimized: SEEDS of them from FIRST on, or the one that SEED
# names, shown step by step; with the rule BREAK broken.
SEEDS ?= 100000
FIRST ?= 1
simulate: packages
	@$(BUILD) --product simulate
	@"$(STATIC)/release/simulate" $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --first $(FIRST)) $(if $(BREAK),--break $(BREAK)) $(if $(SWARM),--swarm)

# Every storage fault at every call, once and for ever, with several seeds; `make test` tries a third of them.
faults: packages
	swift build $(TRAITS) --build-tests
	FAULTS=all $(RUN_TESTS) --filter '^StoreTests\.StorageFaultTests'

# Ten minutes of real managers, writers at each, and a nemesis; takes root.
# SEED chooses what goes wrong.
MINUTES ?= 10
torture: packages
	swift build $(TRAITS) --build-tests
	TORTURE_SECONDS=$$(($(MINUTES) * 60)) $(if $(SEED),TORTURE_SEED=$(SEED)) \
		$(RUN_TESTS) --filter '^IntegrationTests\.TortureTests'

# The lease protocol, and what it would be without each of its rules; takes spin.
model:
	scripts/model

# What managers cost an NFS server, in operations; takes root and an NFS lab (CONTRIBUTING.md, Tests).
nfs-cost: packages
	swift build $(TRAITS) --product infrakit-manager
	swift build $(TRAITS) --product infrakit
	scripts/nfs-cost || [ $$? -eq 77 ]

# Every parser of what comes from outside, with inputs made to find what is wrong with it (CONTRIBUTING.md, Fuzzing): each
# for SECONDS, or the one that TARGET names.
SECONDS ?= 60
fuzz: packages
	scripts/fuzz $(SECONDS) $(TARGET)

# Test targets under the thread sanitizer (CONTRIBUTING.md, Races).
TSAN_TESTS ?= StoreTests ManagerTests HTTPClientTests PluginRPCTests SwarmTests ProcessGroupTests
tsan: packages
	scripts/tsan $(TSAN_TESTS)

# The reference of the libraries, from their documentation comments (scripts/docs).
reference: packages
	swift build $(TRAITS)
	scripts/docs "$(OUT)/reference"

# What it costs and how it grows (docs/performance.md): all of it, or the scenario that BENCH names. OPTIONS are that
# scenario's own.
BENCH ?= all
bench: release
	scripts/bench $(BENCH) $(OPTIONS)

# Status 77 says loudly that there is no Python package jsonschema.
SCHEMA := scripts/check-schema || [ $$? -eq 77 ]

# Writes the outputs anew that tests compare with; look at the difference before you commit it.
golden: packages
	swift build $(TRAITS) --build-tests
	rm -f Tests/CLITests/Golden/*
	UPDATE_GOLDEN=1 $(RUN_TESTS) --filter '^CLITests\.'
	@$(SCHEMA)

SWIFT_CODE := Package.swift Sources Tests migrations Benchmarks/Package.swift Benchmarks/Benchmarks Benchmarks/Sources

format:
	swift format --in-place --recursive --parallel $(SWIFT_CODE)

lint:
	@! grep -rn 'Task\.sleep(' Sources Tests Benchmarks --include='*.swift' | grep -v 'clock: \.suspending' \
		|| { echo 'Name clock: .suspending (CONTRIBUTING.md, Sleeping).' >&2; false; }
	scripts/check-events
	swift format lint --strict --recursive --parallel $(SWIFT_CODE)
	@$(SCHEMA)
	@scripts/check-manual || [ $$? -eq 77 ]

demo: packages
	swift build $(TRAITS) --product infrakit-manager
	swift build $(TRAITS) --product infrakit
	PATH="$(CURDIR)/$(DEBUG):$$PATH" scripts/demo

# What is installed: the programs without symbols, and what they tell of themselves.
release: packages
	$(BUILD) --product infrakit-manager
	$(BUILD) --product infrakit
	rm -rf "$(OUT)/bin" "$(OUT)/completions"
	mkdir -p "$(OUT)/bin" "$(OUT)/completions"
	set -e; for program in $(PROGRAMS); do \
		strip -o "$(OUT)/bin/$$program" "$(STATIC)/release/$$program"; \
		for shell in bash zsh fish; do \
			"$(OUT)/bin/$$program" --generate-completion-script $$shell >"$(OUT)/completions/$$program.$$shell"; \
		done; \
		sed -i '1{/^#!/d}' "$(OUT)/completions/$$program.bash"; \
	done

# Manual pages, as $(OUT)/man/man1/*.1 and so on: scripts/manual DIRECTORY makes them, with the programs in PATH.
manual: release
	rm -rf "$(OUT)/man"
	mkdir -p "$(OUT)/man"
	$(BUILD) --product generate-manual
	PATH="$(CURDIR)/$(OUT)/bin:$$PATH" GENERATE_MANUAL="$(STATIC)/release/generate-manual" \
		scripts/manual "$(OUT)/man"
	scripts/check-manual "$(OUT)/man" || [ $$? -eq 77 ]

install: release manual
	install -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(UNITDIR)" "$(DESTDIR)$(DOCDIR)" \
		"$(DESTDIR)$(BASHDIR)" "$(DESTDIR)$(ZSHDIR)" "$(DESTDIR)$(FISHDIR)"
	set -e; for program in $(PROGRAMS); do \
		install -m 755 "$(OUT)/bin/$$program" "$(DESTDIR)$(BINDIR)"; \
		install -m 644 "$(OUT)/completions/$$program.bash" "$(DESTDIR)$(BASHDIR)/$$program"; \
		install -m 644 "$(OUT)/completions/$$program.zsh" "$(DESTDIR)$(ZSHDIR)/_$$program"; \
		install -m 644 "$(OUT)/completions/$$program.fish" "$(DESTDIR)$(FISHDIR)/$$program.fish"; \
	done
	set -e; for unit in $(UNITS); do \
		sed -e 's|@BINDIR@|$(BINDIR)|' -e 's|@DOCDIR@|$(DOCDIR)|' "packaging/$$unit" >"$(OUT)/$$unit"; \
		install -m 644 "$(OUT)/$$unit" "$(DESTDIR)$(UNITDIR)"; \
	done
	install -m 644 README.md docs/*.md "$(DESTDIR)$(DOCDIR)"
	set -e; for page in "$(OUT)"/man/man*/*; do \
		[ -e "$$page" ] || continue; \
		section="$(DESTDIR)$(MANDIR)/$$(basename "$$(dirname "$$page")")"; \
		install -d "$$section"; \
		gzip -9nc "$$page" >"$$section/$$(basename "$$page").gz"; \
	done

uninstall:
	set -e; for program in $(PROGRAMS); do \
		rm -f "$(DESTDIR)$(BINDIR)/$$program" "$(DESTDIR)$(BASHDIR)/$$program" "$(DESTDIR)$(ZSHDIR)/_$$program" \
			"$(DESTDIR)$(FISHDIR)/$$program.fish" "$(DESTDIR)$(MANDIR)"/man*/$$program.*.gz \
			"$(DESTDIR)$(MANDIR)"/man*/$$program-*.gz; \
	done
	for unit in $(UNITS); do rm -f "$(DESTDIR)$(UNITDIR)/$$unit"; done
	rm -rf "$(DESTDIR)$(DOCDIR)"

# A Debian package, $(OUT)/infrakit-manager_$(VERSION)_<arch>.deb.
deb:
	packaging/debian/build "$(VERSION)" "$(OUT)"

# Installs the package into a scratch system, starts its units there, and removes it again. As root.
test-package:
	scripts/test-package

clean:
	rm -rf .build .build-bench .build-fuzz .build-tsan $(STATIC) $(OUT)

# Debian packages that the build needs and this machine misses.
packages:
	@scripts/packages
