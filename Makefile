# Targets for people and for CI. `make demo` and `make test` are all that a newcomer needs.

PREFIX  ?= /usr/local
DESTDIR ?=
DEBUG   := .build/debug
RELEASE := .build/release

.PHONY: build test format lint demo install clean packages

build: packages
	swift build

# One process for each target: all of them in one have stood still under load (CONTRIBUTING.md, Sleeping).
TESTS := GroupSPITests TerminalTests DiffTests DocumentsTests StoreTests ManagerTests PluginRPCTests ProcessGroupTests CLITests InfrakitCLITests \
	IntegrationTests

test: packages
	swift build --build-tests
	@set -e; for target in $(TESTS); do swift test --skip-build --filter "^$$target\."; done

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests migrations

lint:
	@! grep -rn 'Task\.sleep(' Sources Tests --include='*.swift' | grep -v 'clock: \.suspending' \
		|| { echo 'Name clock: .suspending (CONTRIBUTING.md, Sleeping).' >&2; false; }
	scripts/check-events
	swift format lint --strict --recursive --parallel Package.swift Sources Tests migrations

demo: packages
	swift build --product infrakit-manager
	swift build --product infrakit
	PATH="$(CURDIR)/$(DEBUG):$$PATH" scripts/demo

install: packages
	swift build -c release --product infrakit-manager
	swift build -c release --product infrakit
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 $(RELEASE)/infrakit-manager $(RELEASE)/infrakit "$(DESTDIR)$(PREFIX)/bin"

clean:
	rm -rf .build

# Debian packages that the build needs and this machine misses.
packages:
	@scripts/packages
