# The one front door: `make help` lists what it opens.

VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help venv demo install small-ffprobe uninstall test long pages torture month e2e e2e-smoke check bench translations lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(VENV)/runtime.done ## make .venv with the program in it

demo: $(VENV)/runtime.done | parts ## simulated cameras on a throw-away station
	@$(BIN)/recorder-sync demo

install: | parts $(if $(filter-out none,$(SMALL_FFPROBE)),small-parts) ## as root: the service of this computer (docs/dock.md); DESTDIR, PREFIX, SMALL_FFPROBE
	@./tools/system_parts.sh --venv $(PYTHON)
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" PYTHON="$(PYTHON)" SMALL_FFPROBE="$(SMALL_FFPROBE)" \
	  ./tools/install.sh install

small-ffprobe: | small-parts $(if $(SMALL_FFPROBE),,source-parts) ## as root: an ffprobe that knows recordings and nothing else (docs/dock.md)
	@DESTDIR="$(DESTDIR)" SMALL_FFPROBE="$(SMALL_FFPROBE)" ./tools/install.sh small-ffprobe

uninstall: ## as root: remove the service; evidence, state and configuration stay
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" ./tools/install.sh uninstall

test: compiler $(VENV)/dev.done | parts test-parts ## run the everyday tests, about ten minutes
	$(BIN)/pytest -n 2 --dist worksteal -m "not long" --ignore tests/web

long: compiler $(VENV)/dev.done | parts test-parts small-parts source-parts ## of the tests, those that take long
	$(BIN)/pytest -n 2 --dist worksteal -m long

pages: $(VENV)/dev.done | parts browser-parts ## the web service, without and in a real browser
	$(BIN)/pytest tests/web --browser -n 2 --dist worksteal

torture: compiler $(VENV)/dev.done | parts test-parts ## attack it: kills, power cuts, broken cards and disks
	$(BIN)/pytest tests/faults tests/ingest/test_bad_input_sources.py tests/forward/test_kills.py \
	  tests/stores/s3/test_kills.py -n 2 --dist worksteal --torture --timeout 3000 -rPxs

month: $(VENV)/dev.done ## twenty months of a station, against a naive model of the deadlines
	$(BIN)/pytest tests/month -n 2 --dist worksteal --months --timeout 1200

e2e: $(VENV)/dev.done | parts e2e-parts ## as root: plug cameras into a virtual dock, docs/testing.md
	$(BIN)/python -m tests.e2e.prepare
	$(BIN)/pytest tests/e2e --e2e --timeout 1800

e2e-smoke: $(VENV)/dev.done | parts e2e-parts ## as root: of it, one camera and one pull
	$(BIN)/python -m tests.e2e.prepare
	$(BIN)/pytest tests/e2e --e2e --timeout 600 -m smoke

stores: $(VENV)/dev.done | store-parts ## as root: the stores against real S3 servers, docs/testing.md
	$(BIN)/python -m tests.stores.s3.server
	$(BIN)/pytest tests/stores

check: $(VENV)/dev.done ## lint, types, dead links in docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_docs.py

bench: compiler $(VENV)/dev.done | parts compared $(VENV)/small ## measure: ingest, searches, proofs at 10 000 000 entries, verification
	$(BIN)/python benchmarks/ingest.py
	$(BIN)/python benchmarks/catalogue_search.py
	$(BIN)/python benchmarks/custody.py
	$(BIN)/python benchmarks/rebuild_and_backup.py
	$(BIN)/python benchmarks/verification.py
	$(BIN)/python benchmarks/watch.py
	$(BIN)/python benchmarks/dock_screens.py
	$(BIN)/python benchmarks/pages.py

translations: $(VENV)/dev.done ## bring locale/ up to date with the code
	$(BIN)/python tools/update_translations.py

lock: ## pin exact versions and hashes anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --group build pyproject.toml -o requirements/runtime.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --group build --group dev -c requirements/runtime.lock pyproject.toml \
	  -o requirements/dev.lock

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# What the targets stand on.

.PHONY: parts compared
parts:
	@./tools/system_parts.sh ffprobe:ffmpeg ffmpeg:ffmpeg

$(VENV)/small: # the small ffprobe, as `make install` puts one in place
	@{ make --silent small-parts source-parts && \
	  DESTDIR="$(abspath $@)" ./tools/install.sh small-ffprobe; } || \
	  echo "NO SMALL FFPROBE, the lines above say why: the distribution's is measured" >&2

.PHONY: small-parts
small-parts: # what a small ffprobe is built with
	@./tools/system_parts.sh cc:gcc /usr/include/stdint.h:libc6-dev /usr/include/zlib.h:zlib1g-dev \
	  setpriv:util-linux

.PHONY: source-parts
source-parts: # what unpacks the distribution's source
	@./tools/system_parts.sh dpkg-source:dpkg-dev

.PHONY: test-parts
test-parts:
	@./tools/system_parts.sh fusermount3:fuse3 losetup:mount mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs \
	  umockdev-wrapper:umockdev mkfs.vfat:dosfstools mkfs.exfat:exfatprogs \
	  systemd-analyze:systemd udevadm:udev strace:strace
	@./tools/system_parts.sh sshd:openssh-server || echo 'NO SFTP SERVER: its tests are skipped' >&2

.PHONY: e2e-parts
e2e-parts:
	@./tools/system_parts.sh qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils \
	  mmdebstrap:mmdebstrap mkfs.ext4:e2fsprogs mkfs.vfat:dosfstools mcopy:mtools \
	  mkfs.exfat:exfatprogs sfdisk:fdisk unshare:util-linux git:git

.PHONY: browser-parts
browser-parts:
	@./tools/system_parts.sh chromium:chromium fc-list:fontconfig \
	  /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc:fonts-noto-cjk

.PHONY: store-parts
store-parts:
	@./tools/system_parts.sh mmdebstrap:mmdebstrap unshare:util-linux

.PHONY: compiler
compiler: # before the program is installed: it can do without, but then not everything is tested
	@./tools/system_parts.sh cc:gcc /usr/include/stdint.h:libc6-dev

.PHONY: compared
compared: # what the benchmarks compare the intake with
	@./tools/system_parts.sh rsync:rsync rclone:rclone b3sum:b3sum

$(VENV)/bin/pip:
	@./tools/system_parts.sh --venv $(PYTHON)
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.done: $(VENV)/bin/pip requirements/runtime.lock pyproject.toml hatch_build.py \
		src/recorder_sync/ingest/sha256_pair.c $(wildcard src/recorder_sync/locale/*/LC_MESSAGES/*.po)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/dev.done: $(VENV)/runtime.done requirements/dev.lock
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@
