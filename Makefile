# make          the program, ./unitscope
# make test     all tests that end within minutes
# make race     the same with the race detector, where that ends within minutes
# make bench    benchmarks of the CPU device
# make fuzz     every fuzz test for FUZZTIME each
# make lint     gofmt, go vet (amd64 and arm64), staticcheck, govulncheck
# make check    lint, and: generated files current, go.mod tidy, cross-builds
# make pictures the pictures of README.md, from the program itself

GO       ?= go
FUZZTIME ?= 20s

.PHONY: build test race bench fuzz lint vulnerabilities check cross generate tidy pictures clean

build:
	CGO_ENABLED=0 $(GO) build -o unitscope ./cmd/unitscope

test:
	$(GO) test ./...

race:
	$(GO) test -race -short ./cpu/... ./dataset/... ./train/... ./visualize/... ./report/...

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

pictures:
	docs/make-pictures.sh

clean:
	rm -rf unitscope unitscope-demo
