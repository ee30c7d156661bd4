# SPDX-License-Identifier: Apache-2.0
# The short front door; everything is built by Meson. `make demo` and `make test` need nothing but a Debian machine.
BUILD ?= build
# Unprivileged and offline machines that have everything already: SETUP=true skips the installation step.
SETUP ?= tools/setup

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 22

demo: ## a test CA, Certwright, and two real certificates; stays up until Ctrl-C (ONESHOT=1: ends after printing)
	@$(SETUP) --build --demo
	@$(MAKE) --no-print-directory programs
	@tools/demo $(if $(filter-out 0,$(ONESHOT)),--oneshot)

run: build ## the server on unprivileged loopback ports, with its state in build/state
	@exec $(BUILD)/src/app/certwright serve --state $(BUILD)/state --set api.listen=127.0.0.1:8443 \
		--set dns.listen=127.0.0.1:5353 --set http01.listen=127.0.0.1:8080

build: ## everything, with what it needs installed
	@$(SETUP) --build --ui
	@$(MAKE) --no-print-directory programs

programs: page $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

page:
	@tools/build-page

$(BUILD)/build.ninja:
	@meson setup $(BUILD) > /dev/null

test: ## unit, contract and scenario tests; last line: N passed, N failed, N skipped
	@$(SETUP) --test
	@$(MAKE) --no-print-directory page
	@tools/run-tests test --build $(BUILD)

check: ## what a reviewer would ask: sanitizers, clang, analysis, short fuzz, browser
	@$(SETUP) --test --peers
	@$(MAKE) --no-print-directory page
	@tools/run-tests check

bench: programs ## what is measured, peers side by side
	@if [ -x bench/run ]; then bench/run; else echo "bench: there is no benchmark yet"; exit 1; fi

crash: ## kills core at every commit, request and packet of an order's life, on both databases: hours; PART=1/8 ... 8/8 are the whole in pieces
	@$(SETUP) --test
	@[ -f build-crash/build.ninja ] || meson setup build-crash -Dcrash_hooks=true > /dev/null
	@ninja -C build-crash --quiet
	@CERTWRIGHT_BUILD=build-crash tests/crash/loop.py --pairs 40 --edge 20 --fail --groups --part $(or $(PART),1/1)
	@CERTWRIGHT_BUILD=build-crash tests/crash/loop.py --database postgresql --pairs 40 --edge 20 --fail --groups --part $(or $(PART),1/1)
ifeq ($(filter-out 1/%,$(PART)),)
	@CERTWRIGHT_BUILD=build-crash /usr/bin/python3 -m pytest -q -p no:cacheprovider -c tests/scenario/pytest.ini --rootdir . tests/crash
	@CERTWRIGHT_BUILD=build-crash tests/crash/pause.py --times 500
	@tools/run-tests check --only faults
endif

guards: ## takes 70 guards out of the client one by one: each has to fail a test (half an hour; docs/guards.md)
	@$(SETUP) --test
	@/usr/bin/python3 tests/tool/guards.py .

drills: programs deb ## whole installations, from the package, in the networks they live in (root; each says what it lacks)
	@$(SETUP) --test --drills
	@CERTWRIGHT_BUILD=$(BUILD) /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider -c tests/scenario/pytest.ini --rootdir . tests/drills

attack: ## floods, hoarding and guessing while orders and an administrator run beside (SCALE=1, SECONDS=20)
	@$(SETUP) --test
	@$(MAKE) --no-print-directory programs
	@CERTWRIGHT_BUILD=$(BUILD) tests/attack/run --scale $(or $(SCALE),1) --seconds $(or $(SECONDS),20)

simulate: programs ## a year of 500 certificates of 45 and of 6 days under a virtual clock; 2,000 orders due at once below every published limit
	@$(BUILD)/tests/unit/engine/test_engine_year 365 500
	@LIMITS_ORDERS=2000 $(BUILD)/tests/unit/engine/test_engine_limits

fuzz: ## every fuzz target for FUZZ_SECONDS (600) each, or HOURS=N hours; then what their corpora cover
	@$(SETUP) --test
	@FUZZ_SECONDS=$(if $(HOURS),$$(($(HOURS) * 3600)),$${FUZZ_SECONDS:-600}) tools/run-tests check --only fuzz
	@tools/fuzz-coverage

deb: ## the Debian package of this release, with the built page, into build/deb
	@$(SETUP) --build --deb --ui
	@tools/build-deb

dist: ## the source archive with the built page, into build/dist
	@$(SETUP) --ui
	@tools/dist

format: ## clang-format over the C sources
	@git ls-files 'src/*.[ch]' 'tests/*.[ch]' 'bench/*.[ch]' | xargs clang-format -i

docs: programs ## docs/generated from the tables in the programs
	@tools/gen-docs

screenshots: programs ## a picture of each page, into docs/screenshots
	@tools/screenshots

.PHONY: guards help deb dist demo run build programs page test check bench crash drills attack fuzz format docs screenshots simulate
