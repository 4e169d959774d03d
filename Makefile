# convsmith: `make` builds out/convsmith, `make demo` shows it, `make test` proves it.
CC ?= cc
CFLAGS ?= -O2 -g
WARN = -Wall -Wextra -Wshadow -Wconversion -Wpedantic -Werror
CPPFLAGS += -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE $(shell pkg-config --cflags lua5.4 yaml-0.1)
LDLIBS = $(shell pkg-config --libs lua5.4 yaml-0.1) -lm -ldl
O ?= out

PROGRAM = $(O)/convsmith
MAIN = gen/main.c
LIBRARY = $(filter-out $(MAIN),$(wildcard gen/*.c)) $(wildcard runtime/*.c)
OBJECTS = $(LIBRARY:%.c=$(O)/obj/%.o) $(O)/obj/builtins.o
EMBEDDED = $(sort $(wildcard templates/*.t templates/*/*.t templates/*/*.lua runtime/*.h runtime/*.c))

all: $(PROGRAM)

$(PROGRAM): $(O)/obj/gen/main.o $(O)/libconvsmith.a
	$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $^ $(LDLIBS)

$(O)/libconvsmith.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(O)/obj/gen/%.o: gen/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(CFLAGS) $(WARN) $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(O)/obj/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(CC) -std=c99 $(CFLAGS) $(WARN) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# Templates and the sources of emitted tests travel inside the program.
$(O)/builtins.c: $(EMBEDDED) gen/embed.sh
	@mkdir -p $(@D)
	sh gen/embed.sh $(EMBEDDED) > $@.tmp && mv $@.tmp $@

$(O)/obj/builtins.o: $(O)/builtins.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(CFLAGS) $(CPPFLAGS) -Igen -c -o $@ $<

clean:
	rm -rf $(O)

.PHONY: all clean
-include $(shell find $(O) -name '*.d' 2>/dev/null)
