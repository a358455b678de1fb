# The front door. Every target installs what it needs first (tools/setup; one second when all is there).
PRESET ?= debug
FUZZ_SECONDS ?= 600
export SPOTKEEPER_CACHE ?= $(HOME)/.cache/spotkeeper
PYTHON = $(SPOTKEEPER_CACHE)/venv/bin/python

.PHONY: build demo demo-real test unit-test asan-test histories rig-test manifests image image-test arm64-test image-twice fuzz bench bench-large lint format clean setup

setup:
	tools/setup test

build: ## the release executable: build/release/spotkeeper, fully static
	tools/setup build
	tools/build release spotkeeper
	tools/check-static build/release/spotkeeper

demo: ## an interruption before your eyes, emulated: needs nothing but the executable
	tools/setup build
	tools/build release spotkeeper-demo
	@build/release/spotkeeper-demo

demo-real: ## the same on real parts: control plane, AWS's metadata mock, the agent as it ships
	tools/setup test
	$(MAKE) --no-print-directory build
	$(PYTHON) test/demo

test: asan-test histories rig-test ## every test; the unit tests under AddressSanitizer and UBSan

unit-test: ## the unit tests without sanitizers: the quickest way round while working
	tools/setup test
	tools/build debug all
	ctest --preset debug

asan-test:
	tools/setup test
	tools/build asan all
	ctest --preset asan

histories: ## 10,000 random interruptions of emulated clusters: a minute; every promise is kept in each
	tools/setup build
	tools/build release world_bench
	build/release/world_bench 10000 1 "$$(nproc)" 6x8x150

rig-test: build
	tools/setup test
	tools/build release spotkeeper-world
	tools/build release aws-probe
	tools/build release spotkeeper-demo
	tools/rig-tests

manifests: ## build/deploy: the packaged chart with its index, and all-in-one manifests
	tools/setup test
	deploy/package

image: build ## build/image: the container image for linux/amd64 and linux/arm64, its SBOMs; docs/install.md
	tools/setup image
	tools/build arm64 spotkeeper
	tools/check-static build/arm64/spotkeeper
	deploy/image/build amd64=build/release/spotkeeper arm64=build/arm64/spotkeeper

image-test: image arm64-test ## that, and the image's half for arm64 under qemu-user: its index, SBOM, a drain
	tools/setup test
	$(PYTHON) -m pytest test/deploy_image_test.py test/arm64_image.py

arm64-test: ## the unit tests of the build for arm64, under qemu-user
	tools/setup test
	tools/setup image
	tools/arm64-tests

image-twice: image ## the image again from other folders and without caches: the same bytes? 18 minutes of CPU time
	tools/image-twice

fuzz: ## each parser of outside input, FUZZ_SECONDS each (two hours in all); test/fuzz/README.md
	tools/setup test
	tools/fuzz $(FUZZ_SECONDS)

bench: build ## our side of each row of docs/benchmarks.md
	tools/setup test
	tools/build release world_bench
	$(PYTHON) -m bench

bench-large: build ## storms of 500 and 1,000 hosts, a cluster of 20,000 pods: half an hour
	tools/setup test
	$(PYTHON) -m bench storm big --hosts 500,1000 --controllers raised

lint: ## format, includes between folders, clang-tidy on what changed lately
	tools/setup test
	tools/lint

format:
	git ls-files -co --exclude-standard 'src/*.h' 'src/*.cc' | xargs clang-format-19 -i

clean:
	rm -rf build
