# convsmith: `make` builds out/convsmith, `make demo` shows it, `make test` proves it. docs/build.md lists all targets and variables.
O = out
PREFIX = /usr/local
CFLAGS = -O2 -g
PKG_CONFIG = pkg-config
LUA = lua5.4
WARN = -Wall -Wextra -Wshadow -Wconversion -Wpedantic -Werror

# pkg-config is asked when a library is first needed, not when this file is read: it may have to be installed first.
once = $(eval $(1) := $(shell $(2)))$($(1))
LIB_CFLAGS = $(call once,LIB_CFLAGS,$(PKG_CONFIG) --cflags $(LUA) yaml-0.1)
LIB_LIBS = $(call once,LIB_LIBS,$(PKG_CONFIG) --libs $(LUA) yaml-0.1)
CMOCKA_CFLAGS = $(call once,CMOCKA_CFLAGS,$(PKG_CONFIG) --cflags cmocka)
CMOCKA_LIBS = $(call once,CMOCKA_LIBS,$(PKG_CONFIG) --libs cmocka)
DEFINES = -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE
COMPILE = $(CC) $(CFLAGS) $(WARN) $(CPPFLAGS) $(DEFINES) $(LIB_CFLAGS)
LDLIBS = $(LIB_LIBS) -lm -ldl -pthread

PROGRAM = $(O)/convsmith
MAIN = gen/main.c
SOURCES = $(filter-out $(MAIN),$(wildcard gen/*.c)) $(wildcard runtime/*.c)
OBJECTS = $(SOURCES:%.c=$(O)/obj/%.o)
EMBEDDED = $(sort $(wildcard templates/*.t templates/*/*.t templates/*/*.lua runtime/*.h runtime/*.c runtime/peers/*.[ch]))

# Tests that take minutes run last; what several tests share is in tests/*.c without "test_".
TESTS = $(patsubst tests/%.c,$(O)/test/%,$(wildcard tests/test_*.c))
SLOW = $(filter $(addprefix $(O)/test/test_,family generated mutants sweep),$(TESTS))
QUICK = $(filter-out $(SLOW),$(TESTS))
SHARED = $(patsubst tests/%.c,$(O)/obj/tests/%.o,$(filter-out tests/test_%,$(wildcard tests/*.c)))
SAY = $(if $(V),,@echo '  $@';) # V=1 shows commands

C_FILES = $(wildcard gen/*.[ch] runtime/*.[ch] runtime/peers/*.[ch] tests/*.[ch] demo/*.[ch])

all: $(PROGRAM)

# ---- packages -------------------------------------------------------------------------------------------------------

# `make` and `make install` only say what is missing; the others install it.
ASKED = $(or $(MAKECMDGOALS),all)
packages:
	@CC='$(CC)' LUA='$(LUA)' PKG_CONFIG='$(PKG_CONFIG)' sh tools/packages.sh \
	  $(if $(filter all install $(O)/%,$(ASKED)),--report,--install) $(filter test test-quick test-full bench asan valgrind lint,$(ASKED))

# ---- program --------------------------------------------------------------------------------------------------------

$(PROGRAM): $(O)/obj/gen/main.o $(O)/libconvsmith.a
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $^ $(LDLIBS)

$(O)/libconvsmith.a: $(OBJECTS) $(O)/obj/builtins.o
	$(SAY) rm -f $@; ar rcs $@ $(filter %.o,$^)

$(O)/obj/gen/%.o: gen/%.c $(O)/flags | packages
	@mkdir -p $(@D)
	$(SAY) $(COMPILE) -std=c11 -MMD -MP -c -o $@ $<

$(O)/obj/runtime/%.o: runtime/%.c $(O)/flags | packages
	@mkdir -p $(@D)
	$(SAY) $(COMPILE) -std=c99 -MMD -MP -c -o $@ $<

# Templates and the sources of emitted tests travel inside the program.
$(O)/builtins.c: $(EMBEDDED) gen/embed.sh $(O)/files
	$(SAY) sh gen/embed.sh $(EMBEDDED) > $@.tmp && mv $@.tmp $@

$(O)/obj/builtins.o: $(O)/builtins.c $(O)/flags | packages
	@mkdir -p $(@D)
	$(SAY) $(COMPILE) -std=c11 -Igen -c -o $@ $<

# Files that change only when what they hold does: another compiler or flag compiles anew, a template that is gone is embedded no more.
$(O)/flags: words = $(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS)
$(O)/files: words = $(SOURCES) $(EMBEDDED)
$(O)/libconvsmith.a: $(O)/files
$(O)/flags $(O)/files: always
	@mkdir -p $(@D)
	@echo '$(words)' | cmp -s - $@ || echo '$(words)' > $@

# ---- demo and tests -------------------------------------------------------------------------------------------------

demo: $(PROGRAM)
	@OUT='$(O)' CC='$(CC)' bash demo/demo.sh

$(O)/obj/tests/%.o: tests/%.c $(O)/flags | packages
	@mkdir -p $(@D)
	$(SAY) $(COMPILE) $(CMOCKA_CFLAGS) -std=c11 -MMD -MP -c -o $@ $<

$(O)/libshared.a: $(SHARED)
	$(SAY) rm -f $@; ar rcs $@ $^

$(TESTS): $(O)/test/%: $(O)/obj/tests/%.o $(O)/libshared.a $(O)/libconvsmith.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $^ $(CMOCKA_LIBS) $(LDLIBS)

test test-full: $(PROGRAM) $(TESTS)
	@OUT='$(O)' $(if $(filter test-full,$@),FULL=$(or $(FULL),1) )bash tools/test.sh $(QUICK) $(SLOW)

test-quick: $(PROGRAM) $(QUICK)
	@OUT='$(O)' bash tools/test.sh $(QUICK)

# Both run the program and generated kernels too.
asan: packages
	$(MAKE) O=$(O)/asan CC=clang CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' \
	  sanitized
sanitized: test-quick
	@OUT='$(O)' bash tools/asan.sh

valgrind: $(PROGRAM)
	@OUT='$(O)' CC='$(CC)' bash tools/valgrind.sh

# Generation time, compile time and code size of every layer under specs/, against their bounds.
budget: $(PROGRAM)
	@OUT='$(O)' bash tools/budget.sh

# ---- bench ----------------------------------------------------------------------------------------------------------

# docs/bench.*: minutes on a machine that does nothing else. What is in $(O)/bench is not timed again.
bench: $(PROGRAM)
	@OUT='$(O)' CC='$(CC)' bash tools/bench.sh

# ---- lint -----------------------------------------------------------------------------------------------------------

lint: packages
	clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
	  --enable=warning,performance,portability $(DEFINES) gen runtime demo
	printf '%s\n' $(filter-out demo/picture.c,$(filter %.c,$(C_FILES))) | xargs -n 4 -P "$$(nproc)" sh -c \
	  'clang-tidy --quiet "$$@" -- -std=c11 $(DEFINES) $(LIB_CFLAGS) 2>&1' sh
	luacheck --quiet templates tests/toy tests/ops tests/halves tools
	bash -n .ci/run demo/demo.sh tools/*.sh

# ---- installation ---------------------------------------------------------------------------------------------------

BIN = $(DESTDIR)$(PREFIX)/bin
DOC = $(DESTDIR)$(PREFIX)/share/doc/convsmith
install: $(PROGRAM)
	install -d $(BIN) $(DOC)/docs $(DOC)/LICENSES
	install $(PROGRAM) $(BIN)/convsmith
	install -m 644 README.md CHANGELOG.md LICENSE $(DOC)
	install -m 644 $(wildcard docs/*) $(DOC)/docs
	install -m 644 LICENSES/* $(DOC)/LICENSES
	cp -R specs $(DOC)
uninstall:
	rm -f $(BIN)/convsmith
	rm -rf $(DOC)

clean:
	rm -rf $(O)

.PHONY: all packages bench demo test test-full test-quick asan sanitized valgrind budget lint install uninstall clean always
-include $(wildcard $(O)/obj/*/*.d)
