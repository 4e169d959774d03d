/* The template compiler.
 *
 * A template is C text in which a line that starts with "$ " is Lua, ${expr} is a hole and $$ a dollar. Every text line becomes one
 * call on the same line of a Lua chunk:
 *
 *     $ for i = 0, 3 do                     for i = 0, 3 do
 *       x${i} = 0;                 ->       __text__("  x",(i)," = 0;");
 *     $ end                                 end
 *
 * so control flow, functions and locals are Lua's own, and whatever Lua says about line n of the chunk is about line n of the
 * template. */
#include "template.h"
#include <string.h>

/* A text line while it is read. */
struct cursor {
  const char *at, *end;
  const char *error; /* of the first mistake, or NULL */
};

static const char stray_dollar[] = "a '$' in text is '$$' or '${expression}'; a Lua line starts with '$ ' in its first column";

/* The place after the Lua string that starts at `at`, or NULL if it does not end on this line. */
static const char *skip_string(const char *at, const char *end) {
  const char quote = *at++;
  for (; at < end && *at != quote; at++)
    if (*at == '\\') at++;
  return at < end ? at + 1 : NULL;
}

/* What cannot stand at `at` inside a hole, or NULL: a comment and a long string could swallow what follows the hole. */
static const char *forbidden(const char *at, const char *end) {
  if (end - at < 2) return NULL;
  if (at[0] == '-' && at[1] == '-') return "a comment inside '${...}'";
  if (at[0] == '[' && (at[1] == '[' || at[1] == '=')) return "a long string inside '${...}'";
  return NULL;
}

/* The '}' that closes the hole whose expression starts at cursor->at, or NULL with the error set. */
static const char *hole_end(struct cursor *cursor) {
  int depth = 0;
  const char *at = cursor->at;
  while (at && at < cursor->end) {
    if ((cursor->error = forbidden(at, cursor->end))) return NULL;
    if (*at == '"' || *at == '\'') {
      at = skip_string(at, cursor->end);
      continue;
    }
    if (strchr("([{", *at)) depth++;
    if (strchr(")]}", *at) && depth-- == 0) {
      if (*at == '}') return at;
      cursor->error = "a bracket inside '${...}' is closed and was not opened";
      return NULL;
    }
    at++;
  }
  cursor->error = at ? "'${' without its '}' on the same line" : "a string inside '${...}' does not end on the same line";
  return NULL;
}

/* Reads what a '$' in text starts: a dollar or a hole. Returns the hole's '}' and its expression in *expression, or NULL: then it
 * was a dollar or there is an error. */
static const char *read_dollar(struct cursor *cursor, const char **expression) {
  const char next = cursor->end - cursor->at > 1 ? cursor->at[1] : '\0';
  cursor->at += 2;
  if (next == '$') return NULL;
  *expression = cursor->at;
  if (next == '{') return hole_end(cursor);
  cursor->error = stray_dollar;
  return NULL;
}

/* A byte of text inside a Lua string in double quotes. */
static void add_literal(struct text *lua, char byte) {
  if (byte == '"' || byte == '\\' || (unsigned char)byte < ' ')
    text_print(lua, "\\%03u", (unsigned)(unsigned char)byte);
  else
    text_add(lua, &byte, 1);
}

static const char *compile_text(const char *line, const char *end, struct text *lua) {
  struct cursor cursor = {line, end, NULL};
  text_print(lua, "__text__(\"");
  while (cursor.at < end && !cursor.error) {
    if (*cursor.at != '$') {
      add_literal(lua, *cursor.at++);
      continue;
    }
    const char *expression = NULL, *close = read_dollar(&cursor, &expression);
    if (!close) {
      text_add(lua, "$", 1);
      continue;
    }
    text_print(lua, "\",(%.*s),\"", (int)(close - expression), expression);
    cursor.at = close + 1;
  }
  text_print(lua, "\");");
  return cursor.error;
}

static const char *compile_line(const char *line, size_t size, struct text *lua) {
  const bool code = size > 0 && line[0] == '$' && (size == 1 || line[1] == ' ');
  if (memchr(line, '\0', size)) return "a NUL byte";
  if (!code) return compile_text(line, line + size, lua);
  text_add(lua, line + 1, size - 1);
  return NULL;
}

/* The end without blank lines, so that a template may end in `$ return` and a newline. */
static const char *trimmed_end(const char *text, const char *end) {
  while (end > text && strchr(" \t\r\n", end[-1])) end--;
  return end;
}

const char *template_compile(const char *text, size_t size, struct text *lua, int *line) {
  const char *const end = trimmed_end(text, text + size);
  text_print(lua, "local __text__=...;");
  for (*line = 1; text < end; (*line)++) {
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    const char *stop = newline ? newline : end;
    const size_t length = (size_t)(stop - text);
    const char *error = compile_line(text, length > 0 && stop[-1] == '\r' ? length - 1 : length, lua);
    if (error) return error;
    if (stop < end) text_add(lua, "\n", 1);
    text = stop + 1;
  }
  return NULL;
}

bool template_hole(const char *line, size_t size, size_t index, const char **expression, size_t *length) {
  struct cursor cursor = {line, line + size, NULL};
  while (cursor.at < cursor.end && !cursor.error) {
    if (*cursor.at != '$') {
      cursor.at++;
      continue;
    }
    const char *close = read_dollar(&cursor, expression);
    if (!close) continue;
    *length = (size_t)(close - *expression);
    if (index-- == 0) return true;
    cursor.at = close + 1;
  }
  return false;
}
