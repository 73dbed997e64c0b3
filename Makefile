# make          the program, ./unitscope; with the CUDA device where a cuda.h is found
# make test     all tests that end within minutes
# make race     the same with the race detector, where that ends within minutes
# make test-noasm  without assembly, as on a processor that has none for it: tests of the CPU, and the same bits
# make test-emulated  the CUDA device on the emulated driver; needs g++ and cuda.h, but no card
# make gpu-bundle  a folder, gpu-bundle/, for a machine with a card and without Go: programs, tests, run.sh
# make gpu-bundle-test  run.sh of that folder on the emulated driver, at tiny sizes
# make mutants  wrong on purpose: the tests on the emulated driver must notice deliberate mistakes
# make ptx-check ptx-report  whether the checked-in PTX is current, and its registers and spills; needs nvcc 12.4
# make paper-quick  the whole way from data to figures, small
# make report-browser  the demo's report in a real Chromium; needs chromium and npm
# make kill-points  every command is killed at every fsync, rename and removal of a file; Linux on amd64
# make bench    benchmarks of the CPU device
# make fuzz     every fuzz test for FUZZTIME each
# make fuzz-nets  the fuzz test of random networks for FUZZTIME, on the CPU and, where a cuda.h is found, on the emulated driver
# make lint     gofmt, go vet (amd64 and arm64), staticcheck, govulncheck
# make check    lint, and: generated files current, go.mod tidy, cross-builds
# make man      the manual page, unitscope.1
# make install  the program, its manual page and its completions, to PREFIX (/usr/local)
# make pictures the pictures of README.md, from the program itself

GO       ?= go
FUZZTIME ?= 20s

# Where cuda.h is: that is all that building the CUDA device needs.
CUDA_HEADERS := $(firstword $(foreach d,$(if $(CUDA_HOME),$(CUDA_HOME)/include) /usr/local/cuda/include /usr/include,$(if $(wildcard $(d)/cuda.h),$(d))))
CUDA_BUILD   := CGO_ENABLED=1 CGO_CFLAGS="-g -O2 -I$(CURDIR)/gpu/include -I$(CUDA_HEADERS)"

.PHONY: cuda-header test-noasm test-emulated gpu-bundle gpu-bundle-test mutants ptx-check ptx-report paper-quick report-browser kill-points fuzz-nets build test race bench fuzz lint vulnerabilities check cross generate tidy man install pictures clean

build:
ifneq ($(CUDA_HEADERS),)
	$(CUDA_BUILD) $(GO) build -tags cuda -o unitscope ./cmd/unitscope
	@echo "built unitscope with the CUDA device ($(CUDA_HEADERS)/cuda.h)"
else
	CGO_ENABLED=0 $(GO) build -o unitscope ./cmd/unitscope
	@echo "built unitscope without the CUDA device: no cuda.h in CUDA_HOME, /usr/local/cuda or /usr/include"
endif

test:
	$(GO) test ./...

race:
	$(GO) test -race -short ./cpu/... ./dataset/... ./train/... ./visualize/... ./report/...

# Portable loops are the same ones in either build: all that a demonstration
# writes is compared, but for its page, and for records and logs, which have times.
test-noasm:
	$(GO) vet -tags noasm ./cpu/...
	$(GO) test -count=1 -short -tags noasm ./cpu/...
	@folder=$$(mktemp -d); for tag in none noasm; do \
	  $(GO) build -tags $$tag -o $$folder/program ./cmd/unitscope && \
	  UNITSCOPE_CPU=generic $$folder/program demo --quick --quiet --out $$folder/$$tag >/dev/null || exit; \
	done; diff -r -q -x run.json -x log.csv -x '*.html' $$folder/none $$folder/noasm && \
	echo "$$(find $$folder/noasm -name '*.npz' -o -name '*.safetensors' | wc -l) files of arrays and models, and what is drawn of them, are the same without assembly"; \
	code=$$?; rm -rf $$folder; exit $$code

EMULATED := UNITSCOPE_CUDA_DRIVER=$(CURDIR)/kernels/emulator/build/libcuda_emulated.so

cuda-header:
	@[ -n "$(CUDA_HEADERS)" ] || { echo "no cuda.h in CUDA_HOME, /usr/local/cuda or /usr/include"; exit 1; }

CARD_TEST := UNITSCOPE_REQUIRE=cuda $(EMULATED) $(CUDA_BUILD) $(GO) test -count=1 -tags cuda -timeout 30m

# The device's tests and those of commands take about a minute each, side by side.
test-emulated: cuda-header
	$(MAKE) --no-print-directory -C kernels emulator emulator-tests
	UNITSCOPE_REQUIRE=emulator $(GO) test -count=1 ./kernels/...
	$(CUDA_BUILD) $(GO) vet -tags cuda ./gpu/... ./cmd/unitscope
	$(CARD_TEST) -short ./gpu/... & device=$$!; $(CARD_TEST) -run CUDA ./cmd/unitscope; commands=$$?; wait $$device && exit $$commands

gpu-bundle: cuda-header
	GO=$(GO) $(CUDA_BUILD) bench/bundle/build.sh gpu-bundle

# In an empty environment and away from the tree, as on another machine.
gpu-bundle-test: gpu-bundle
	$(MAKE) --no-print-directory -C kernels emulator
	@folder=$$(mktemp -d) && cp -R gpu-bundle/. "$$folder" && \
	(cd / && env -i PATH=/usr/bin:/bin $(EMULATED) "$$folder/run.sh" --quick); code=$$?; rm -rf "$$folder"; exit $$code

mutants: cuda-header
	$(MAKE) --no-print-directory -C kernels emulator
	GO=$(GO) $(CUDA_BUILD) kernels/mutants.sh

ptx-check ptx-report:
	$(MAKE) --no-print-directory -C kernels $@

paper-quick:
	@out=$$(mktemp -d) && $(GO) run ./cmd/unitscope paper --quick --quiet --out $$out/paper && \
	grep -c '^## ' $$out/paper/summary.md; code=$$?; rm -rf $$out; exit $$code

report-browser:
	cd report/site/browser && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@out=$$(mktemp -d) && $(GO) run ./cmd/unitscope demo --quick --quiet --out $$out/demo && \
	(cd report/site/browser && REPORT=$$out/demo/index.html npm test); code=$$?; rm -rf $$out; exit $$code

kill-points:
	UNITSCOPE_KILL_POINTS=all $(GO) test -count=1 -timeout 2h -run TestKilledAnywhere -v ./cmd/unitscope

bench:
	$(GO) test -run '^$$' -bench . ./cpu/... ./dataset/...

# go test fuzzes one target of one package at a time.
fuzz:
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep ^Fuzz); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$package || exit 1; \
	  done; \
	done

FUZZ_NETS := -run '^$$' -fuzz '^FuzzNets$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1x

fuzz-nets:
	$(GO) test $(FUZZ_NETS) ./cpu
ifneq ($(CUDA_HEADERS),)
	$(MAKE) --no-print-directory -C kernels emulator
	$(CARD_TEST) $(FUZZ_NETS) ./gpu
endif

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	GOARCH=arm64 $(GO) vet ./...
	$(GO) tool staticcheck ./...
	@$(MAKE) --no-print-directory vulnerabilities

# Exit code 3 means that vulnerable code is called. Without a network the
# database can't be asked; that is said, and is no failure.
vulnerabilities:
	@log=$$(mktemp); $(GO) tool govulncheck ./... >$$log 2>&1; code=$$?; \
	if [ $$code = 0 ]; then echo "govulncheck: no known vulnerabilities"; \
	elif grep -qiE 'fetching vulnerabilities|dial tcp|no such host|vuln.*(403|forbidden|refused)' $$log && [ $$code != 3 ]; then echo "govulncheck: skipped, its database can't be reached"; code=0; \
	else cat $$log; fi; rm -f $$log; exit $$code

check: lint generate tidy cross
	git diff --exit-code

generate:
	$(GO) generate ./...

tidy:
	$(GO) mod tidy

cross:
	@for target in linux/amd64 linux/arm64 darwin/arm64 darwin/amd64 windows/amd64; do \
	  echo "build $$target"; CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -o /dev/null ./... || exit 1; \
	done

man: build
	./unitscope manual >unitscope.1

PREFIX ?= /usr/local
SHARE   = $(DESTDIR)$(PREFIX)/share

install: man
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	install -m 755 unitscope $(DESTDIR)$(PREFIX)/bin/unitscope
	install -m 644 unitscope.1 $(SHARE)/man/man1/unitscope.1
	./unitscope completion bash >$(SHARE)/bash-completion/completions/unitscope
	./unitscope completion zsh >$(SHARE)/zsh/site-functions/_unitscope
	./unitscope completion fish >$(SHARE)/fish/vendor_completions.d/unitscope.fish

pictures:
	docs/make-pictures.sh

clean:
	rm -rf unitscope unitscope.1 unitscope-demo gpu-bundle
