# sockspec. One Makefile for the whole tree; whatever it makes is under build/. `make help` lists the targets.
# Sources are found by pattern: adding a server, a client or a test never edits this file.

SAN ?=
# Programs for another ABI, in a folder of their own: make PROGRAMS=sparc64, make PROGRAMS=aarch64-macos.
PROGRAMS ?=
mode := $(or $(PROGRAMS),$(if $(filter-out 0,$(SAN)),san,release))
B := build/$(mode)
# What is missing for these is another job's business.
job_of_programs := $(if $(PROGRAMS),$(if $(filter %-macos,$(PROGRAMS)),cross-macos,foreign))
foreign := sparc64 alpha mips hppa
macos   := x86_64-macos aarch64-macos
zig     := build/zig/node_modules/.bin/zig
export ZIG_GLOBAL_CACHE_DIR := $(CURDIR)/build/zig/cache
export ZIG_LOCAL_CACHE_DIR := $(ZIG_GLOBAL_CACHE_DIR)
ifneq ($(PROGRAMS),)
CC := $(if $(filter %-macos,$(PROGRAMS)),$(zig) cc -target $(PROGRAMS),$(PROGRAMS)-linux-gnu-gcc)
endif

CORES ?= $(shell nproc 2>/dev/null || echo 2)
GO ?= go
# More for pytest: make conformance ARGS='-k reuseaddr'
ARGS ?=

.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += -r
# Parallel unless the command line says otherwise; a sub-make has its share from the one above.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(CORES)
endif
# These follow one another when several are asked for: `make clean build`, `make conformance test`.
ifneq ($(filter clean format setup conformance falsify falsify-scenarios audit test lint bench gallery docs errnos foreign cross-macos matrix platforms record,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

# --- sources -----------------------------------------------------------------------------------------------------

common_c    := $(wildcard harness/common/*.c)
conductor_c := $(if $(PROGRAMS),,$(wildcard harness/conductor/*.c harness/conductor/*/*.c))
interpose_c := $(if $(filter $(foreign),$(PROGRAMS)),,$(wildcard harness/interpose/*.c))
exhibit_c   := $(wildcard harness/exhibit/*.c)
servers_c   := $(wildcard servers/*.c)
clients_c   := $(wildcard clients/*.c)
check_c     := $(wildcard harness/check/*.c)
cases_c     := $(wildcard cases/check_*.c)
checks_c    := $(wildcard harness/tests/check_*.c)
items_c     := $(wildcard harness/tests/items/*.c)
programs_c  := $(wildcard harness/tests/programs/*.c)
programs_go := $(wildcard harness/tests/programs/*.go)
all_c       := $(common_c) $(conductor_c) $(interpose_c) $(exhibit_c) $(servers_c) $(clients_c) $(check_c) $(cases_c) $(checks_c) $(items_c) $(programs_c)
all_h       := $(wildcard harness/*/*.h harness/*/*/*.h)
scripts     := .ci/run $(wildcard harness/*.sh harness/tests/*.sh)

common    := $(common_c:%.c=$(B)/obj/%.o)
parts     := $(filter-out %/main.o,$(conductor_c:%.c=$(B)/obj/%.o))
exhibit   := $(exhibit_c:%.c=$(B)/obj/%.o)
conductor := $(if $(conductor_c),$(B)/bin/conductor)
interpose := $(if $(interpose_c),$(B)/bin/libinterpose.$(if $(filter %-macos,$(PROGRAMS)),dylib,so))
servers   := $(servers_c:%.c=$(B)/%)
clients   := $(clients_c:%.c=$(B)/%)
numbers   := $(B)/errnos
check     := $(check_c:%.c=$(B)/obj/%.o)
cases     := $(cases_c:%.c=$(B)/%)
checks    := $(checks_c:harness/%.c=$(B)/%)
items     := $(items_c:harness/%.c=$(B)/%)
programs  := $(programs_c:harness/%.c=$(B)/%)
# Where there is no Go, what needs a Go program is unsupported.
go_programs := $(if $(and $(programs_go),$(shell command -v $(GO) 2>/dev/null)),$(programs_go:harness/%.go=$(B)/%))

# --- flags -------------------------------------------------------------------------------------------------------

CFLAGS ?= -O2 -g
WERROR ?= -Werror
warnings := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wundef -Wpointer-arith -Wvla
sanitizers := -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
sanitize := $(if $(filter san,$(mode)),$(sanitizers))

conductor_needs := $(shell pkg-config --cflags --libs libseccomp libmnl jansson 2>/dev/null)
libcheck    := $(if $(PROGRAMS),$(B)/libcheck/libcheck.a)
checks_need := $(if $(PROGRAMS),-I$(B)/libcheck -L$(B)/libcheck -lcheck $(if $(filter %-macos,$(PROGRAMS)),,-lm -lrt -pthread), \
                 $(if $(checks_c)$(cases_c),$(shell pkg-config --cflags --libs check 2>/dev/null)))
# An item is a process of its own, and the loader would take a third of its time: cases are linked statically where
# that can be done. A sanitizer cannot, nor do all systems have the libraries.
archive      = $(filter /%,$(shell $(CC) -print-file-name=$(1) 2>/dev/null))
archives     = $(if $(PROGRAMS),$(call archive,libc.a),$(and $(call archive,libcheck.a),$(call archive,libsubunit.a)))
static_cases := $(if $(sanitize)$(filter %-macos,$(PROGRAMS)),,$(if $(archives),-static))
static_needs := $(if $(PROGRAMS),$(checks_need),-lcheck -lsubunit -lm -lrt -pthread)
# What a static program finds its thread-local variables by does not survive alpha's relaxing linker.
ifeq ($(PROGRAMS),alpha)
static_needs += -Wl,--no-relax
endif
cases_need   := $(if $(static_cases),-static $(static_needs),$(checks_need))
cflags_of = $(filter-out -l% -L% -Wl%,$(1))
libs_of = $(filter -l% -L% -Wl% -pthread -static,$(1))

# Servers and clients are C11 and POSIX and nothing else; the harness may use what Linux has.
gnu   := -std=c11 -D_GNU_SOURCE
posix := -std=c11 -D_POSIX_C_SOURCE=200809L
for_common    := $(gnu) -Iharness/common
for_conductor := $(for_common) -Iharness/conductor -Iharness $(call cflags_of,$(conductor_needs))
for_interpose := $(gnu) -fPIC -fvisibility=hidden
for_exhibit   := $(posix) -Iharness/common -Iharness/exhibit
for_cases     := $(for_common) -Iharness/check $(call cflags_of,$(checks_need))
for_checks    := $(for_conductor) $(call cflags_of,$(checks_need))
for_programs   := $(gnu)

$(B)/obj/harness/common/%    $(B)/tidy/harness/common/%:    own := $(for_common)
$(B)/obj/harness/conductor/% $(B)/tidy/harness/conductor/%: own := $(for_conductor)
$(B)/obj/harness/interpose/% $(B)/tidy/harness/interpose/%: own := $(for_interpose)
$(B)/obj/harness/exhibit/%   $(B)/tidy/harness/exhibit/%:   own := $(for_exhibit)
$(B)/obj/servers/%           $(B)/tidy/servers/%:           own := $(for_exhibit)
$(B)/obj/clients/%           $(B)/tidy/clients/%:           own := $(for_exhibit)
$(B)/obj/harness/check/%     $(B)/tidy/harness/check/%:     own := $(for_cases)
$(B)/obj/cases/%             $(B)/tidy/cases/%:             own := $(for_cases)
$(B)/obj/harness/tests/%     $(B)/tidy/harness/tests/%:     own := $(for_checks)
$(B)/obj/harness/tests/items/% $(B)/tidy/harness/tests/items/%: own := $(for_cases)
$(B)/obj/harness/tests/programs/% $(B)/tidy/harness/tests/programs/%: \
    own = $(for_programs) $(if $(findstring _threads,$*),-pthread)
# A sanitizer cannot be linked statically.
# Nor does one have a place in a library that is loaded into whatever program.
unless_static = $(if $(findstring _static,$(@F))$(findstring /interpose/,$(@D)/),,$(sanitize))

compile = $(CC) $(own) $(warnings) $(WERROR) $(CFLAGS) $(unless_static) $(CPPFLAGS)
link    = $(CC) $(CFLAGS) $(unless_static) $(LDFLAGS)

# --- build -------------------------------------------------------------------------------------------------------

# build: what cases run. build-tests: what the project's own tests run. Neither has a recipe, so that `make -q` can
# say whether there is anything to do.
.PHONY: build build-cases build-tests
build: $(conductor) $(interpose) $(servers) $(clients) $(if $(PROGRAMS),,$(cases)) $(numbers)
# For another ABI the library that they need is built first, which takes a while.
build-cases: $(cases)
build-tests: build $(checks) $(items) $(programs) $(go_programs)

# A program whose source is gone must not be found any more.
stale := $(filter-out $(servers) $(clients) $(cases) $(checks) $(items) $(programs) $(programs_go:harness/%.go=$(B)/%) \
                         $(B)/tests/items $(B)/tests/programs, \
           $(wildcard $(B)/servers/* $(B)/clients/* $(B)/cases/* $(B)/tests/* $(B)/tests/items/* $(B)/tests/programs/*))
ifneq ($(stale),)
.PHONY: remove-stale
build: remove-stale
remove-stale:
	@rm -rf $(stale)
endif

# Two stamps that change when their text does: flags, for every object; lists, for everything linked, since a source
# that went away is seen by no time stamp.
flags := $(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $(WERROR) $(warnings) $(sanitize) $(gnu) $(posix) $(conductor_needs)
lists := $(common_c) $(conductor_c) $(interpose_c) $(exhibit_c) $(check_c) $(LDFLAGS) $(cases_need)
stamp = $(if $(subst [$(strip $(file <$(1)))],,[$(strip $(2))]),always)

.PHONY: always
$(B)/flags: $(call stamp,$(B)/flags,$(flags))
	$(call run,,printf '%s\n' '$(strip $(flags))' >"$$part")
$(B)/lists: $(call stamp,$(B)/lists,$(lists)) | $(B)/flags
	$(call run,,printf '%s\n' '$(strip $(lists))' >"$$part")

# $(call run,WORD,COMMAND): COMMAND writes to $part, which becomes the target only when all went well: what a full disk
# or an interrupt cut short is never taken for built. Its folder is also the compiler's temporary one.
define run
@$(if $(1),printf '%s\n' '$(if $(V),$(subst "$$part",$@,$(2)),$(1) $(or $(filter %.c %.go,$<),$@))';) \
said=$$( { part=$(B)/part/$(subst /,_,$(@:$(B)/%=%)).$$$$; trap 'rm -f "$$part" "$$part.d"; exit 1' HUP INT TERM; \
  export LC_ALL=C TMPDIR="$$PWD/$(B)/part"; mkdir -p $(B)/part && mkdir -p $(@D) && $(2) && \
  { [ ! -e "$$part.d" ] || mv -f "$$part.d" $@.d; } && mv -f "$$part" $@ || \
  { rm -f "$$part" "$$part.d"; exit 1; }; } 2>&1 ); status=$$?; \
case $$status,$$said in \
  *'o space left on device'*) said='sockspec: cannot make $@: the disk that holds build/ is full';; \
  *'Disk quota exceeded'*) said='sockspec: cannot make $@: the disk quota for build/ is used up';; esac; \
[ -z "$$said" ] || printf '%s\n' "$$said" >&2; exit $$status
endef
colour = $(if $(MAKE_TERMERR),-fdiagnostics-color=always)

$(all_c:%.c=$(B)/obj/%.o): $(B)/obj/%.o: %.c $(B)/flags
	$(call run,CC,$(compile) $(colour) -MMD -MP -MF "$$part".d -MT $@ -c $< -o "$$part")

ifneq ($(libcheck),)
$(check) $(cases_c:%.c=$(B)/obj/%.o): | $(libcheck)
$(libcheck): | $(B)/flags
	@echo LIBCHECK $(PROGRAMS); harness/libcheck.sh $(PROGRAMS) '$(CC)' $(@D)
endif

deps := $(wildcard $(all_c:%.c=$(B)/obj/%.o.d))
$(deps): ;
-include $(deps)

inputs = $(filter %.o,$^)
# All symbols are bound at the start, once for all labs that a fork server makes.
bound := -Wl,-z,now
$(B)/bin/conductor: $(parts) $(B)/obj/harness/conductor/main.o $(common) $(B)/lists
	$(call run,LINK,$(link) $(inputs) $(bound) $(call libs_of,$(conductor_needs)) -o "$$part")

$(interpose): $(interpose_c:%.c=$(B)/obj/%.o) $(B)/lists
	$(call run,LINK,$(CC) $(CFLAGS) $(LDFLAGS) -shared $(inputs) -o "$$part" \
	  $(if $(filter %.dylib,$@),&& { grep -q __interpose "$$part" || { echo '$@ interposes nothing'; false; }; }))

$(servers) $(clients): $(B)/%: $(B)/obj/%.o $(exhibit) $(common) $(B)/lists
	$(call run,LINK,$(link) $(inputs) -o "$$part")

$(cases): $(B)/%: $(B)/obj/%.o $(check) $(common) $(B)/lists
	$(call run,LINK,$(link) $(inputs) $(call libs_of,$(cases_need)) -o "$$part")

# What cases in C are linked with where sockspec is installed: harness/commands/compile.py.
$(B)/lib/libcase.a: $(check) $(common) $(B)/lists
	$(call run,AR,$(AR) rcs "$$part" $(inputs))

# Cases that the harness's own tests run.
$(items): $(B)/%: $(B)/obj/harness/%.o $(check) $(common) $(B)/lists
	$(call run,LINK,$(link) $(inputs) $(call libs_of,$(cases_need)) -o "$$part")

$(checks): $(B)/%: $(B)/obj/harness/%.o $(parts) $(common) $(B)/lists
	$(call run,LINK,$(link) $(inputs) $(call libs_of,$(conductor_needs) $(checks_need)) -o "$$part")

# The numbers of this ABI, from the headers that its programs are compiled with.
$(numbers): $(B)/flags
	$(call run,ERRNOS,$(CC) $(gnu) -E -dM -include errno.h -x c /dev/null | sort >"$$part")

# These stand alone: X_static.c is linked statically, X_threads.c with threads.
$(programs): $(B)/%: $(B)/obj/harness/%.o
	$(call run,LINK,$(link) $(if $(findstring _static,$(@F)),-static) $(if $(findstring _threads,$(@F)),-pthread) \
	  $(inputs) -o "$$part")

$(go_programs): $(B)/%: harness/%.go | $(B)/flags
	$(call run,GO,GOCACHE="$$PWD/build/go" GO111MODULE=off CGO_ENABLED=0 $(GO) build -o "$$part" $<)

# Nothing can be built without these: say what is missing once, instead of once a file.
for_tests := $(filter build-tests lint-all,$(MAKECMDGOALS))
missing := $(if $(shell command -v $(firstword $(CC)) 2>/dev/null),,compiler) \
           $(if $(or $(PROGRAMS),$(conductor_needs)),,libraries) \
           $(if $(or $(PROGRAMS),$(checks_need)),,check)
ifneq ($(strip $(missing)),)
.PHONY: say-missing
say-missing:
	@harness/setup.sh --check $(or $(job_of_programs),$(if $(for_tests),test,build))
	@echo 'sockspec: cannot build with CC=$(CC): $(strip $(missing)) not found' >&2; exit 1
$(B)/flags $(B)/lists: | say-missing
endif

# --- jobs --------------------------------------------------------------------------------------------------------

.PHONY: setup conformance falsify falsify-scenarios audit test lint format bench gallery docs errnos foreign cross-macos matrix platforms record clean help
# Whoever calls make below pytest starts anew, without this make's jobserver. What pytest keeps of the last runs' folders
# stays in build/ too.
python := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PYTEST_DEBUG_TEMPROOT="$$PWD/build" "$$(head -n 1 build/python)"
pytest := $(python) -m pytest -n $(CORES)

setup:
	@harness/setup.sh all

conformance:
	@harness/setup.sh conformance
	@$(MAKE) -s build
	@$(pytest) --slow --conformance-summary cases $(ARGS)

# Every case again for each thing that it relied on, with that thing changed, and the page of what was found. Labs wait more
# than they work: what is told something false often hangs.
falsify:
	@harness/setup.sh conformance
	@$(MAKE) -s build
	@$(pytest) -n $$((4 * $(CORES))) --slow --falsify --falsify-report build/falsified.jsonl cases $(ARGS)
	@$(python) -m harness falsified build/falsified.jsonl

# Those of the scenarios alone that wait for no timer.
falsify-scenarios:
	@harness/setup.sh conformance
	@$(MAKE) -s build
	@$(pytest) --falsify -m 'scenario and not waits' cases $(ARGS)

# What real servers do; docs/audits/ keeps it. Ends with an error where one does what audits/ does not tell of.
audit:
	@harness/setup.sh audit
	@$(MAKE) -s build-tests
	@mkdir -p build/audits; status=0; for file in audits/*.toml; do name=$$(basename "$$file" .toml); \
	  $(python) -m harness audit "$$file" --text "docs/audits/$$name.txt" --json "docs/audits/$$name.json" \
	    --html "build/audits/$$name.html" $(ARGS) || status=$$?; done; exit $$status

# A check that hangs is ended; one that sanitizers or a busy machine make slow is not.
test:
	@harness/setup.sh test
	@$(MAKE) -s build-tests
	@failed=0; for check in $(checks); do \
	  printf 'CHECK %s\n' "$$check"; CK_TIMEOUT_MULTIPLIER=15 "$$check" || failed=1; done; exit $$failed
	@$(pytest) --timeout=900 harness/tests $(ARGS)

bench:
	@harness/setup.sh bench
	@$(MAKE) -s build-tests
	@$(python) -m harness.bench $(ARGS)

# The README's pictures, from real runs.
gallery:
	@harness/setup.sh conformance
	@$(MAKE) -s build
	@$(python) -m harness.reports.gallery

# The page of behaviours, with what a run of every case but the slow ones gave.
docs:
	@harness/setup.sh conformance
	@$(MAKE) -s build
	@$(pytest) -q cases
	@$(python) -m harness docs

# The page of errno numbers, from the headers of every ABI.
errnos: foreign cross-macos
	@harness/setup.sh conformance
	@$(MAKE) -s build
	@$(python) -m harness errnos

# Programs that qemu-user runs on this kernel: pytest --programs=sparc64
foreign:
	@harness/setup.sh foreign
	@$(MAKE) -s $(foreign:%=programs-%)

# Each claim, in its first variant, on every platform that runs here; and the page that shows them side by side, be some
# of it red. VARIANTS=all has every case, which emulated machines take hours for.
PLATFORMS ?= linux,gvisor*2,linux-6.1,linux-6.12,linux-6.12-fast-time,sparc64,alpha,mips,hppa
VARIANTS ?= first
matrix:
	@harness/setup.sh matrix
	@$(MAKE) -s build
	@status=0; $(python) -m pytest --platform '$(PLATFORMS)' --variants=$(VARIANTS) cases $(ARGS) || status=$$?; \
	  $(python) -m harness matrix "$$(ls build/results/*.jsonl | tail -n 1)" || status=$$?; exit $$status

# What these platforms give is what they are compared with from now on.
record:
	@harness/setup.sh matrix
	@$(MAKE) -s build
	@$(python) -m pytest --platform '$(PLATFORMS)' --slow cases $(ARGS)
	@$(python) -m harness record

# Another stack and another ABI, against what is recorded of them.
platforms:
	@harness/setup.sh platforms
	@$(MAKE) -s build
	@$(python) -m pytest --platform 'gvisor*$(CORES),sparc64' --variants=first --baseline=auto cases $(ARGS)

# Whether the programs and the cases in C compile and link for macOS.
cross-macos:
	@harness/setup.sh cross-macos
	@$(MAKE) -s $(macos:%=programs-%) $(macos:%=cases-%)

programs_for := $(foreign:%=programs-%) $(macos:%=programs-%)
.PHONY: $(programs_for)
$(programs_for): programs-%:
	@$(MAKE) PROGRAMS=$* build
cases_for := $(programs_for:programs-%=cases-%)
.PHONY: $(cases_for)
$(cases_for): cases-%: programs-%
	@$(MAKE) PROGRAMS=$* build-cases

# --- lint --------------------------------------------------------------------------------------------------------

python_code := $(wildcard conftest.py setup.py harness cases)
lints := format tidy cppcheck black mypy shell claims
.PHONY: lint-all $(lints:%=lint-%)

# All that is wrong, not just the first.
lint:
	@harness/setup.sh lint
	@$(MAKE) -s --keep-going --output-sync=target lint-all

lint-all: $(lints:%=lint-%)

lint-format:
	@echo FORMAT; clang-format --dry-run -Werror $(all_c) $(all_h)

# A file is looked at again when it, a header of it or the rules changed: clang-tidy needs seconds where a compiler
# needs milliseconds. The object stands for the headers.
tidied := $(all_c:%.c=$(B)/tidy/%.ok)
lint-tidy: $(tidied)
$(tidied): $(B)/tidy/%.ok: %.c $(B)/obj/%.o .clang-tidy
	$(call run,TIDY,clang-tidy --quiet $< -- $(own) $(warnings) >"$$part" 2>&1 || \
	  { grep -v 'warnings* generated' "$$part"; false; })

# Shadowing is gcc's to find (-Wshadow): cppcheck takes a set of kinds for two.
lint-cppcheck:
	@echo CPPCHECK; mkdir -p $(B)/cppcheck && \
	cppcheck --quiet --error-exitcode=1 --enable=warning,style,performance,portability --inline-suppr --std=c11 \
	  --suppress=missingIncludeSystem --suppress=unusedStructMember --suppress=shadowVariable --cppcheck-build-dir=$(B)/cppcheck \
	  -Iharness/common -Iharness/conductor -Iharness/exhibit -Iharness/check $(all_c)

lint-black:
	@echo BLACK; black --check --quiet $(python_code) || { black --diff --quiet $(python_code); exit 1; }

lint-mypy:
	@echo MYPY; mypy --strict --python-executable="$$(head -n 1 build/python)" $(python_code)

lint-shell:
	@echo SHELLCHECK; shellcheck $(scripts)

# The README's table of scenarios is the one that the cases give; each row of the catalogue has a case or a reason.
lint-claims:
	@echo CLAIMS; $(python) -m harness claims --check && $(python) -m harness docs --check

format:
	@harness/setup.sh lint
	@clang-format -i $(all_c) $(all_h)
	@black --quiet $(python_code)

clean:
	rm -rf build

define help_text
make              build what cases run (under build/release; with SAN=1 under build/san, with sanitizers)
make conformance  run every case, those of a minute too; installs what is missing
make falsify      run every case again with each thing that it relied on changed: does it notice? writes docs/falsified.md
make falsify-scenarios  the same for the cases of the scenarios S0 to S4
make audit        audit nginx, redis and six others, and write docs/audits/ anew
make test         run the project's own tests; installs what is missing
make lint         formatting, static analysis and types; installs what is missing
make format       let clang-format and black have their way
make bench        measure what calls and cases cost
make foreign      build the programs for other ABIs, where errnos have other numbers: $(foreign)
make matrix       try every claim on every platform that runs here, and draw the page: $(PLATFORMS)
make platforms    try every claim on gVisor and for sparc64, against what is recorded of them
make record       run every case on PLATFORMS, and record what they give as their baselines
make cross-macos  compile and link programs and cases in C for macOS
make gallery      draw the README's pictures anew, from real runs
make docs         write the page of behaviours anew, from a run
make errnos       write the page of errno numbers anew, from the headers of every ABI
make setup        install what any of these needs (Debian packages)
make clean        remove build/

SAN=1      with address and undefined-behaviour sanitizers      V=1       show whole commands
ARGS=...   more for pytest: ARGS='-k reuseaddr'                 CORES=n   so many at once
PYTHON=... the interpreter to try first                         WERROR=   warnings are no errors
endef
help: export help_text := $(help_text)
help:
	@echo "$$help_text"
