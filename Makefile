# Parley. `make run` to try it, `make test` for all that CI does.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := build

HTTP     ?= localhost:8080
MEDIA    ?= :8081
FUZZTIME ?= 60s
STATICCHECK_MODULE  := honnef.co/go/tools/cmd/staticcheck@v0.8.2
STATICCHECK := bin/tools/staticcheck
GOTESTSUM_MODULE := gotest.tools/gotestsum@v1.13.0
GOTESTSUM := $(CURDIR)/bin/tools/gotestsum

# A clone without git or tags still builds.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# One cache for tests, tools and the program: with other flags each package is compiled twice.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)

# What is compiled to WebAssembly.
JS_PACKAGES := ./app/... ./shared/... ./wasm/...

.PHONY: build run test tools format vet lint unit server rules wasm quick programs binary release package e2e pages timed fuzz flood paths calls bench screenshots figures clean

## build: one static binary, bin/parley, with the pages and the WebAssembly in it
build: wasm binary

## run: build everything and start in demo mode, with made-up calls to look at; it prints two sign-in links. With OPENAI_API_KEY in the environment there is an agent openai, too; with AGENT=double one that needs no account
run:
	@[ -e bin/parley ] && [ -e web/admin.wasm.br ] || echo "The first build takes some minutes; the next ones take seconds."
	@$(MAKE) wasm
	@echo "── the server"
	@$(MAKE) binary
ifeq ($(AGENT),double)
	@go build -o bin/double ./server/agent/double/cmd
	@bin/double & trap "kill $$!" EXIT; \
	DOUBLE_KEY=any bin/parley serve --mode=demo --demo-data --http=$(HTTP) --media-addr=$(MEDIA) --agents=server/agent/double/agents.yaml --agent=double
else
	exec bin/parley serve --mode=demo --demo-data --http=$(HTTP) --media-addr=$(MEDIA)
endif

## test: all that CI does, each stage with its time; a failure stops no later stage
# One after the other: each fills two cores by itself, and beside unit browsers take minutes for
# what people see in seconds.
TEST_STAGES := tools wasm binary pages vet lint format rules unit server timed
test:
	@echo "make test: about 30 minutes on two cores, 10 more when nothing was built before; 4 GB of memory, 5 GB of disk."
	@echo "It may install by apt-get: chromium, espeak-ng, iproute2, gcc, nginx, haproxy, firefox-esr, pulseaudio, nftables, postgresql, python3."
	@MAKE="$(MAKE)" .ci/stages $(TEST_STAGES)

## tools: what the tests need beside Go; installed where apt-get may
tools:
	@.ci/tools

format:
	@files=$$(gofmt -l app server shared wasm web); \
	if [ -n "$$files" ]; then echo "not gofmt'ed:"; echo "$$files"; exit 1; fi

vet:
	go vet ./...
	GOOS=js GOARCH=wasm go vet $(JS_PACKAGES)
	cd server/e2e && go vet ./...

$(STATICCHECK): Makefile
	GOBIN=$(CURDIR)/bin/tools go install $(STATICCHECK_MODULE)
	@touch $@

lint: $(STATICCHECK)
	$(STATICCHECK) ./...
	GOOS=js GOARCH=wasm $(STATICCHECK) ./wasm/...
	cd server/e2e && ../../$(STATICCHECK) ./...

$(GOTESTSUM): Makefile
	GOBIN=$(CURDIR)/bin/tools go install $(GOTESTSUM_MODULE)
	@touch $@

# A browser or a server among many on two busy cores can be late once. What failed is run once
# more alone: failing then, it failed; else it is named at the end of `make test`, for somebody
# to find out why. Races, and more than a few failures, aren't tried again.
LATE := artifacts/late
TRY_AGAIN = mkdir -p $(CURDIR)/$(LATE) && rm -f $(CURDIR)/$(LATE)/$@ && \
	$(GOTESTSUM) --format=standard-quiet --hide-summary=skipped --rerun-fails=1 --rerun-fails-run-root-test \
	--rerun-fails-max-failures=6 --rerun-fails-abort-on-data-race --rerun-fails-report=$(CURDIR)/$(LATE)/$@

# SQLite's own code, translated from C, is not watched: it takes no part in our races, and under
# the detector it is ten times slower, which is what a test then measures. All was vetted by vet.
RACE := -race -vet=off -gcflags='modernc.org/...=-race=false' -timeout=15m

# What the race detector would take minutes for and see nothing new in: a table of a thousand
# answers, each of a server of its own, and a day of made-up calls, which one goroutine makes.
UNRACED := ^TestWhoMayDoWhat$$

## unit: every package but the program itself and the rules, with the race detector. Some wait, so three at a time
unit: $(GOTESTSUM)
	$(TRY_AGAIN) --packages="$$(go list ./... | grep -vxE 'parley/server(/rules|/demodata|/chaos)?')" -- $(RACE) -p=3 -skip='$(UNRACED)'
	go test -vet=off ./server/demodata
	go test -vet=off -run='$(UNRACED)' ./server/api

## server: the program as its users meet it, in processes of its own; it keeps time, so it runs alone. Many of its tests wait
server: $(GOTESTSUM)
	$(TRY_AGAIN) --packages=./server -- $(RACE) -parallel=10

## rules: the import table and the other rules of the house
rules:
	go test -count=1 ./server/rules

# The programs that browsers run: the callers' and the admins'.
PROGRAMS := web/app.wasm web/admin.wasm

## wasm: both programs, packed with Brotli 11, held against web/weights.txt. What was packed before stays
wasm: programs
	@echo "── packing them"
	go run ./web/pack -drop-lines -weights=web/weights.txt $(PROGRAMS)

## quick: the binary with pages that are packed in seconds rather than minutes, and so are larger
quick: programs
	go run ./web/pack -quality=3 $(PROGRAMS)
	@$(MAKE) binary

# With the names of functions, by which the packages are weighed; packing takes them out.
programs:
	@echo "── the pages, as WebAssembly"
	GOOS=js GOARCH=wasm go build -trimpath -ldflags='-w' -o web/app.wasm ./wasm
	GOOS=js GOARCH=wasm go build -trimpath -ldflags='-w' -o web/admin.wasm ./wasm/admin

BINARY ?= bin/parley
binary:
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='$(LDFLAGS)' -o $(BINARY) ./server

NFPM_MODULE := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
NFPM        := bin/tools/nfpm
RELEASE     := artifacts/release

$(NFPM):
	GOBIN=$(CURDIR)/bin/tools go install $(NFPM_MODULE)

## release: for linux/amd64 and arm64 the program, its parts (CycloneDX) and a Debian package, with checksums, in artifacts/release
release: wasm $(NFPM)
	@rm -rf $(RELEASE) && mkdir -p $(RELEASE)
	@for arch in amd64 arm64; do \
	  echo "── linux/$$arch"; \
	  $(MAKE) package ARCH=$$arch || exit 1; \
	done
	cd $(RELEASE) && sha256sum * >SHA256SUMS

# One architecture of a release. A Debian version begins with a digit.
package: export GOARCH := $(ARCH)
package: export GOOS := linux
package:
	@$(MAKE) binary BINARY=$(RELEASE)/parley-linux-$(ARCH)
	@GOARCH= GOOS= go run ./server/packaging/sbom $(RELEASE)/parley-linux-$(ARCH) $(VERSION) >$(RELEASE)/parley-linux-$(ARCH).cdx.json
	@ARCH=$(ARCH) VERSION=$(patsubst v%,%,$(if $(filter v%,$(VERSION)),$(VERSION),0~$(VERSION))) BINARY=$(RELEASE)/parley-linux-$(ARCH) \
	  SOURCE_DATE_EPOCH=0 $(NFPM) package -p deb -f server/packaging/nfpm.yaml -t $(RELEASE)

## e2e: real Chromium and Firefox against the real binary; screenshots in artifacts/
e2e: pages timed

# The tests with browsers that hold a page to a time.
TIMED := ^(TestClickToFirstAudio|TestAColdLoad|TestAReloadInMidCall|TestATickOfAHundredRows|TestWhatTakesItsTime)$$

# Every test with browsers but those.
pages: $(GOTESTSUM)
	cd server/e2e && $(TRY_AGAIN) --packages="$$(go list ./... | grep -v e2e/acme)" -- -vet=off -count=1 -timeout=20m -parallel=3 -skip='$(TIMED)'

timed: $(GOTESTSUM)
	cd server/e2e && $(TRY_AGAIN) --packages=. -- -vet=off -count=1 -timeout=20m -parallel=4 -run='$(TIMED)'
	cd server/e2e && go test -vet=off -count=1 -timeout=5m ./acme

## fuzz: each fuzz target for FUZZTIME
fuzz:
	@grep -rl --include='*_test.go' '^func Fuzz' app server shared wasm | sort | while read -r file; do \
	  grep -o '^func Fuzz[A-Za-z0-9_]*' "$$file" | sed 's/^func //' | while read -r target; do \
	    echo "── $$target in $$(dirname $$file)"; \
	    go test -run='^$$' -fuzz="^$$target$$" -fuzztime=$(FUZZTIME) "./$$(dirname $$file)" </dev/null; \
	  done; \
	done

## flood: ten minutes of strangers who ask as fast as they can, on a disk of 32 MiB; as root
flood:
	PARLEY_TEST_FLOOD=10m go test -count=1 -timeout=15m -v -run='^TestAFloodOfStrangersLeavesAdminsTheirDisk$$' ./server

## paths: what the page and the API say of seven kinds of network path, held against the paths themselves, as a table; as root, five minutes of a machine that does nothing else
paths:
	cd server/e2e && PARLEY_TEST_PATHS=1 go test -vet=off -count=1 -timeout=15m -v -run='^TestSevenKindsOfPath$$' .

## chaos: three nodes over PostgreSQL and NATS in network namespaces, 300 callers; nodes, bus and database are killed, stopped and cut off; as root, about six minutes
chaos: build
	PARLEY_CHAOS=1 go test -count=1 -timeout=30m -v ./server/chaos | grep -vE '^ +time='

## calls: a hundred calls at the same time, the agent's leg alone and both legs; as many as two idle cores carry with ease
calls:
	PARLEY_TEST_PARALLEL_CALLS=100 go test -count=1 -v -run='^TestManyCalls' ./server ./server/agent/upstream | grep -vE '^ +time='

## bench: the whole server beside bare pion reflectors, and Janus where apt has installed it: CPU per packet, there and back, memory and set-ups of 50, 200 and 1,000 calls, and silent ones; calls of both legs beside a bare forwarder; what monitoring takes
bench:
	go run ./server/bench
	go run ./server/bench legs
	go run ./server/bench store
	go test -run='^$$' -bench='TenThousandSamples|HundredReaders' ./server/monitor
	go test -run='^$$' -bench=Stream -benchtime=15x ./server/nodes

## screenshots: the README's pictures, taken from the real thing; and in artifacts/codes and artifacts/states, each thing that can stop a caller, and a call without colour
screenshots: build
	cd server/e2e && PARLEY_PICTURES=1 go test -count=1 -run='^(TestTheReadmesPictures|TestPicturesOfACallersPage|TestAVoiceKeepsACall)$$' .

## figures: the README's figures of the page: its weight, and click to first audio
figures: build
	@for program in $(PROGRAMS); do echo "$$program: $$(stat -c %s $$program.br) bytes after Brotli"; done
	cd server/e2e && go test -count=1 -v -run='^TestClickToFirstAudio$$' . | grep -E 'click to first audio|^(ok|FAIL|---)'

clean:
	rm -rf bin artifacts web/*.wasm web/*.wasm.br web/*.wasm.gz web/.*.wasm.packed
