# make demo       sample events judged by the real OPA, no AWS account needed; ALL=1 prints every verdict and mail
# make test       everything that CI checks
# make quick      while you work: format, lint, types, and the tests that start no process or server and fuzz nothing
# make opa-path   the path of the OPA that they use: OPA_PATH, one of the pinned version, or else built or fetched
# make prove      every policy of a small universe, judged by the gate and by sets of points (half an hour)
# make bench      how long a decision takes, and what it is made of
# make load       100,000 events within the memory and the processor share of Lambda, and the largest batches; Linux
# make simulate   a year of 200 servers in minutes, and what people are told of it, exposure by exposure; FLAGS=--days=30
# make image      the image that Lambda runs, with Docker, Podman or buildah; POLICIES= and POLICY_TESTS= are the folders of
#                 your own (`portcullis init` makes them); TAG=, ENGINE=, FLAGS=
# make image-test the image, built with stand-ins for its base images and driven as Lambda does; Linux and root
# make deploy-test the examples of deploy/ applied by Terraform against moto, and driven from the event to the alert
# make image-bench its size, start, warm invocations and memory
# make release    a wheel, the bill of materials of the image and their checksums, in build/release
# make lock       requirements*.txt anew from pyproject.toml (needs uv)
# make clean      remove what these made

PYTHON ?= python3
MAKEFLAGS += --no-print-directory

export PYTHON

# Byte code is kept, whatever the shell says: each worker of the tests would compile all of them anew, in 7 seconds.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test quick lint prove bench load simulate image image-test deploy-test image-bench opa opa-path release lock clean

demo: opa
	@.venv/bin/python -m handler.cli.demo $(if $(ALL),--all)

test: opa lint
	.venv/bin/portcullis check policies --tests policy_tests --coverage
	.venv/bin/python -m pytest --quiet --numprocesses auto --dist loadfile --no-loadscope-reorder

quick: opa lint
	.venv/bin/python -m pytest --quiet -m "not slow"

lint: .venv/installed
	.venv/bin/ruff format --check --quiet .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy --no-error-summary

prove: opa
	@.venv/bin/python -m tests.gate_universe

bench: opa
	@.venv/bin/python -m bench

load: opa
	@.venv/bin/python -m load

simulate: opa
	@.venv/bin/python -m simulate $(FLAGS)

image:
	@tools/image $(FLAGS)

image-test: .venv/installed
	@tests/image/run .venv/bin/python -m pytest --verbose tests/image

deploy-test: opa
	.venv/bin/python -m pytest --quiet tests/deploy/applied

image-bench: .venv/installed
	@tests/image/run .venv/bin/python -m tests.image.measure

opa-path:
	@$(PYTHON) -m handler.opa_binary

opa: .venv/installed
	@$(call moving,opa=$$($(PYTHON) -m handler.opa_binary) && { [ "$$opa" -ef .venv/bin/opa ] || ln -sf "$$opa" .venv/bin/opa; })

# Runs a command, with a dot every two seconds where a terminal looks.
moving = { [ ! -t 2 ] || while sleep 2; do printf . >&2; done; } & dots=$$!; $(1); status=$$?; kill $$dots 2>&-; exit $$status

# A copied or moved .venv still runs the code of the checkout that made it.
ifneq ($(shell cat .venv/installed 2>/dev/null),$(CURDIR))
.PHONY: .venv/installed
endif

.venv/installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, as in: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@[ ! -L .venv ] || rm .venv
	@[ "$$(cat $@ 2>/dev/null)" = "$(CURDIR)" ] && .venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "Installing the locked Python packages into .venv (about a minute the first time) ..." >&2
	@$(call moving,.venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
	  -r requirements-dev.txt)
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@echo "$(CURDIR)" >$@

release: .venv/installed
	@rm -rf build/release && mkdir -p build/release
	@.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --wheel-dir build/release .
	@tools/sbom > build/release/sbom.cdx.json
	@cd build/release && sha256sum * > SHA256SUMS

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group function --output-file requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  pyproject.toml --group dev --constraints requirements.txt --output-file requirements-dev.txt

clean:
	rm -rf .venv .cache build *.egg-info
