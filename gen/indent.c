/* Re-indentation of C.
 *
 * Two columns for each open brace; four more inside an open parenthesis or an unfinished statement; preprocessor lines at column 0.
 * Brackets in strings, characters and comments do not count. Both branches of an #if start from the same nesting. Blank lines at
 * the start and the end are dropped, runs of them become one. Lines are never broken or joined. */
#include "indent.h"
#include <string.h>

/* What a byte is in code. */
enum kind { PLAIN, BLANK, BRACE, PARENTHESIS, CLOSE, QUOTE, SLASH };
static const unsigned char kinds[256] = {
    [' '] = BLANK,       ['\t'] = BLANK, ['\r'] = BLANK, ['\f'] = BLANK, ['\v'] = BLANK, ['{'] = BRACE,  ['('] = PARENTHESIS,
    ['['] = PARENTHESIS, ['}'] = CLOSE,  [')'] = CLOSE,  [']'] = CLOSE,  ['"'] = QUOTE,  ['\''] = QUOTE, ['/'] = SLASH,
};

static enum kind kind_of(char byte) {
  return (enum kind)kinds[(unsigned char)byte];
}

static bool is_blank(char byte) {
  return kind_of(byte) == BLANK;
}

static bool among(char byte, const char *set) {
  return byte != '\0' && strchr(set, byte);
}

/* ---- brackets ----------------------------------------------------------------------------------------------------- */

static void open_bracket(struct nesting *now, char kind) {
  if (now->depth < INDENT_DEPTH) now->open[now->depth] = kind;
  now->depth++;
}

static void close_bracket(struct nesting *now) {
  if (now->depth > 0) now->depth--;
}

/* The columns of what is open: neighbouring parentheses count once. */
static int columns(const struct nesting *now) {
  int sum = 0;
  for (int i = 0; i < now->depth; i++) {
    const char kind = i < INDENT_DEPTH ? now->open[i] : '{';
    const bool again = i > 0 && i < INDENT_DEPTH && now->open[i - 1] == '(';
    if (kind == '{') sum += 2;
    if (kind == '(' && !again) sum += 4;
  }
  return sum;
}

static bool in_parenthesis(const struct nesting *now) {
  return now->depth > 0 && now->depth <= INDENT_DEPTH && now->open[now->depth - 1] == '(';
}

/* ---- the code of a line ------------------------------------------------------------------------------------------- */

/* The place after the literal that starts at `at`. */
static const char *skip_literal(const char *at, const char *end) {
  const char quote = *at++;
  for (; at < end && *at != quote; at++)
    if (*at == '\\') at++;
  return at < end ? at + 1 : end;
}

/* The place after the block comment that `at` is in, the line's end if it goes on. */
static const char *skip_comment(struct nesting *now, const char *at, const char *end) {
  for (; end - at >= 2; at++)
    if (at[0] == '*' && at[1] == '/') {
      now->comment = false;
      return at + 2;
    }
  return end;
}

/* Follows the bracket or other byte of code at `at`; the place after it, or after the literal that it starts. */
static const char *read_byte(struct nesting *now, const char *at, const char *end, char brace) {
  const enum kind kind = kind_of(*at);
  if (kind == BLANK) return at + 1;
  now->last = *at;
  if (kind == QUOTE) return skip_literal(at, end);
  if (kind == BRACE) open_bracket(now, brace);
  if (kind == PARENTHESIS) open_bracket(now, '(');
  if (kind == CLOSE) close_bracket(now);
  return at + 1;
}

/* Follows the brackets of the code from `at` to `end`, which was written at `column`. */
static void read_code(struct nesting *now, const char *at, const char *end, int column) {
  const char *const start = at;
  const char brace = end - at > 10 && memcmp(at, "extern \"C\"", 10) == 0 ? 'e' : '{';
  while (at < end) {
    const char next = kind_of(*at) == SLASH && end - at >= 2 ? at[1] : '\0';
    if (now->comment) {
      at = skip_comment(now, at, end);
    } else if (next == '/') {
      return;
    } else if (next == '*') {
      now->comment = true;
      now->comment_column = column + (int)(at - start);
      at += 2;
    } else {
      at = read_byte(now, at, end, brace);
    }
  }
}

/* ---- statements --------------------------------------------------------------------------------------------------- */

/* True if the line starts with a keyword whose body may follow without braces. */
static bool starts_header(const char *line, size_t size) {
  static const char *const words[] = {"if (", "for (", "while (", "else", "} else"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (size >= strlen(words[i]) && memcmp(line, words[i], strlen(words[i])) == 0) return true;
  return false;
}

/* Columns for a line that goes on with what the line before it left unfinished. */
static int continued(const struct nesting *now, char first) {
  if (in_parenthesis(now) || now->last == '\0' || first == '{') return 0;
  if (now->headers > 0 && among(now->last, ")e")) return 2 * now->headers;
  if (among(now->last, "=+-*/%&|^<>?")) return 4;
  return among(first, "=+-*/%&|^<>?:.") && !among(now->last, ";{}:,") ? 4 : 0;
}

static void add_line(struct indent *indent, int column, const char *line, size_t size, struct text *out) {
  indent_flush(indent, out);
  text_fill(out, ' ', (size_t)column);
  text_add(out, line, size);
  text_add(out, "\n", 1);
  indent->started = true;
}

/* A macro alone on its line, as CONVSMITH_ROLLED before a loop: what stands around it goes on. */
static bool is_macro_word(const char *line, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (!(line[i] >= 'A' && line[i] <= 'Z') && line[i] != '_') return false;
  return true;
}

static void code_line(struct indent *indent, const char *line, size_t size, struct text *out) {
  struct nesting *now = &indent->now, outer = *now;
  if (!in_parenthesis(now) && !among(now->last, ")e")) now->headers = 0;
  for (size_t i = 0; i < size && among(line[i], ")]}"); i++) close_bracket(&outer);
  const bool closes = outer.depth != now->depth;
  const int column = columns(&outer) + (closes ? 0 : continued(now, line[0]));
  add_line(indent, column, line, size, out);
  if (is_macro_word(line, size)) return;
  if (!in_parenthesis(now)) now->headers = starts_header(line, size) ? now->headers + 1 : 0;
  read_code(now, line, line + size, column);
}

/* A line that starts inside a block comment: its star stands under the opening one, its text under the text. */
static void comment_line(struct indent *indent, const char *line, size_t size, struct text *out) {
  const int column = indent->now.comment_column + (line[0] == '*' ? 1 : 3);
  add_line(indent, column, line, size, out);
  read_code(&indent->now, line, line + size, column);
}

/* ---- the preprocessor --------------------------------------------------------------------------------------------- */

static bool directive_is(const char *line, size_t size, const char *word) {
  size_t i = 1;
  while (i < size && is_blank(line[i])) i++;
  return size - i >= strlen(word) && memcmp(line + i, word, strlen(word)) == 0;
}

static void read_condition(struct indent *indent, const char *line, size_t size) {
  const int inner = indent->conditions - 1;
  const bool kept = inner >= 0 && inner < INDENT_CONDITIONS;
  if (directive_is(line, size, "if")) {
    if (indent->conditions < INDENT_CONDITIONS) indent->before[indent->conditions] = indent->now;
    indent->conditions++;
  } else if (directive_is(line, size, "el") && kept) {
    indent->now = indent->before[inner];
  } else if (directive_is(line, size, "endif") && inner >= 0) {
    indent->conditions--;
  }
}

static void directive_line(struct indent *indent, const char *line, size_t size, struct text *out) {
  add_line(indent, 0, line, size, out);
  read_condition(indent, line, size);
  if (line[size - 1] != '\\') return;
  indent->macro = true;
  indent->outside = indent->now;
  indent->now = (struct nesting){.depth = 1, .open = {'{'}};
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

void indent_flush(struct indent *indent, struct text *out) {
  if (indent->blank && indent->started) text_add(out, "\n", 1);
  indent->blank = false;
  indent->started = true;
}

void indent_line(struct indent *indent, const char *line, size_t size, struct text *out) {
  while (size > 0 && is_blank(line[size - 1])) size--;
  for (; size > 0 && is_blank(*line); size--) line++;
  if (size == 0) {
    indent->blank = true;
    return;
  }
  if (indent->now.comment)
    comment_line(indent, line, size, out);
  else if (*line == '#' && !indent->macro)
    directive_line(indent, line, size, out);
  else
    code_line(indent, line, size, out);
  if (indent->macro && line[size - 1] != '\\') {
    indent->macro = false;
    indent->now = indent->outside;
  }
}
