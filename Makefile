# Everything that `make` builds lies in .venv, .lab, dist and reports; `make clean` takes it away again.

PYTHON ?= python3
# yes: bootstrap pip even where Python could bring its own
BOOTSTRAP ?= no
# what make bench measures; docs/benchmarks.md tells of more
parts ?= --hosts 3,10,30 --sshd 100,300 --fake 1000,2000,10000
# --last-failed --second-try: of the long tests only what failed the last time; tests/honest.py says what may pass then
again ?=
# of the long tests only those of one part of four: part=2
part ?=
# what make test runs
tests ?= tests
# adopt, or story for one of its stacks
adopt ?= adopt

bin := .venv/bin
# with a cache of their own, for the lab's tests may run beside them
unit_tests = $(bin)/python -m coverage run -m pytest -q -o cache_dir=.lab/unit-cache tests/unit
ready := .venv/.ready
bench_ready := .lab/bench-venv/.ready
docs_ready := .lab/docs-venv/.ready
comma := ,
unpacked := $(CURDIR)/.lab/bootstrap
apt := apt-get -qq -o APT::Sandbox::User=root -o Dir::Cache="$(unpacked)/cache"
apt_lists := -o Dir::State::Lists="$(unpacked)/lists"

MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.PHONY: help env lab demo test test-long test-adopt test-openwebui bench lint unit unit-busybox coverage docs wheel release clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s  %s\n", $$1, $$2 }' Makefile

env: $(ready) ## build .venv with everything in requirements.lock
	@:

lab: env ## start the lab: three hosts on this machine
	@$(bin)/python -m tests.lab up

demo: env lab ## start the lab and bring the stack to its hosts
	@$(bin)/pyinfra -y inventory deploy.py
	@printf '%s\n' "" "What to try next (docs/tour.md):" \
		"  change the password:  rm .lab/secrets.env && make demo" \
		"  break something:      $(bin)/python -m tests.lab ssh erni-1 docker stop erni-ki-redis-1, then make demo" \
		"  look at the page:     reports/latest.html"

test: env lint lab ## lint, start the lab and run the tests
	@$(bin)/python -m pytest $(again) $(tests)

test-long: env lab ## the lab tests that take minutes: rollouts under load, interruptions, faults, installations
	@$(bin)/python -m pytest -m "long$(if $(part), and part$(part))" --durations 15 $(again) tests/fleet

test-adopt: env lab ## the lab tests that take over stacks of 27 services, started by hand
	@$(bin)/python -m pytest -m $(adopt) $(again) tests/fleet

test-openwebui: env ## build the real Open WebUI from PyPI and run the tests that need it
	@$(bin)/python -m tests.lab status >/dev/null 2>&1 || $(bin)/python -m tests.lab up
	@$(bin)/python -m tests.lab openwebui $(firstword $(subst $(comma), ,$(LAB_HOSTS)))
	@$(bin)/python -m pytest -m openwebui $(again) tests/openwebui

bench: env $(bench_ready) ## the same work by this project, pyinfra, Ansible and bare ssh, side by side; takes hours
	@$(bin)/python -m tests.bench $(parts)
	@$(bin)/python -m tests.bench report

lint: env ## ruff, mypy and shellcheck
	@$(bin)/ruff check --quiet
	@$(bin)/ruff format --check --quiet
	@$(bin)/mypy --no-error-summary
	@$(bin)/python -m tests.shellcheck
	@find .ci/run tests -type f \( -name '*.sh' -o -path .ci/run -o \
		-path 'tests/lab/images/*/*' ! -name '*.*' ! -name Dockerfile \) -exec $(bin)/shellcheck {} +

unit: env ## the tests that need no lab
	@$(bin)/python -m pytest -m "not lab and not openwebui"

unit-busybox: env ## the tests of scripts on hosts whose sh, awk, sed and the like are busybox's
	@$(bin)/python -m tests.busybox

coverage: env ## the unit tests, and which branches of the library they do not reach; fails below 90 %
	@mkdir -p -m 700 .lab/coverage && rm -f .lab/coverage/*
	@$(unit_tests) || { echo "What failed is run once more."; $(unit_tests) --last-failed --second-try; }
	@$(bin)/python -m coverage combine --quiet
	@$(bin)/python -m coverage report --fail-under 90

docs: env $(docs_ready) ## build the documentation into dist/site, and look for links that lead nowhere
	@$(bin)/python -m docs.generate.screenshots .lab/screenshots
	@NO_MKDOCS_2_WARNING=1 .lab/docs-venv/bin/python -m mkdocs build --quiet --strict
	@$(bin)/python -m docs.generate.links dist/site
	@echo "Open dist/site/index.html"

wheel: env ## build the wheel and the sdist into dist
	@$(bin)/python -m build --no-isolation

release: $(docs_ready) ## build wheel and sdist anew and check what a package index would refuse; signs and uploads nothing
	@rm -f dist/*.whl dist/*.tar.gz
	@$(MAKE) wheel
	@.lab/docs-venv/bin/python -m twine check --strict dist/*.whl dist/*.tar.gz

clean: ## remove the lab, .venv, reports and caches; your .env and hosts.yml stay
	@if [ -d .lab ]; then $(MAKE) env && $(bin)/python -m tests.lab down --all; fi
	@rm -rf .venv .lab dist reports pyinfra-debug.log .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The checkout itself is not installed: the working directory serves `operations`, and an installed one would shadow it.
$(ready): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed. Name one, for example: make env PYTHON=python3.12" >&2; exit 1; }
	@echo "Building .venv (about a minute)"
	@if [ "$(BOOTSTRAP)" = no ] && $(PYTHON) -c 'import ensurepip' 2>/dev/null; \
		then $(PYTHON) -m venv --clear .venv; \
		else $(MAKE) bootstrap; \
	fi
	@$(pip_certificates) $(bin)/python -m pip install -qq --no-compile --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# What others need stays out of the project's own environment.
$(bench_ready): tests/bench/requirements.txt $(ready)
	@echo "Building .lab/bench-venv with Ansible and matplotlib (about a minute)"
	@mkdir -p -m 700 .lab && $(bin)/python -m venv --clear --without-pip .lab/bench-venv
	@$(pip_certificates) $(bin)/python -m pip --python .lab/bench-venv/bin/python install -qq --no-compile --disable-pip-version-check -r $<
	@touch $@

$(docs_ready): docs/requirements.lock $(ready)
	@echo "Building .lab/docs-venv with mkdocs and twine (about a minute)"
	@mkdir -p -m 700 .lab && $(bin)/python -m venv --clear --without-pip .lab/docs-venv
	@$(pip_certificates) $(bin)/python -m pip --python .lab/docs-venv/bin/python install -qq --no-compile --disable-pip-version-check \
		--require-hashes -r $<
	@touch $@

# Debian's pip trusts the machine's certificates only; on a machine without any, those in pip's own package serve.
pip_certificates = [ -e /etc/ssl/certs/ca-certificates.crt ] || \
	export PIP_CERT="$${PIP_CERT:-$$(echo .venv/lib/python3*/site-packages/pip/_vendor/certifi/cacert.pem)}";

# Debian without python3-venv: pip comes out of a package that is unpacked here and never installed.
# The machine's own package lists serve, or, where they are missing or out of date, private ones.
.PHONY: bootstrap
bootstrap:
	@rm -rf "$(unpacked)" && mkdir -p "$(unpacked)/lists/partial" "$(unpacked)/cache/archives/partial"
	@cd "$(unpacked)" && { $(apt) download python3-pip-whl 2>/dev/null || \
		{ $(apt) $(apt_lists) update && $(apt) $(apt_lists) download python3-pip-whl; }; }
	@dpkg -x "$(unpacked)"/python3-pip-whl_*.deb "$(unpacked)"
	@$(PYTHON) -m venv --clear --without-pip .venv
	@wheel=$$(echo "$(unpacked)"/usr/share/python-wheels/pip-*.whl) && \
		$(bin)/python "$$wheel/pip" install --quiet --no-index "$$wheel"
	@rm -rf "$(unpacked)" && { rmdir .lab 2>/dev/null || true; }
