/* Re-indentation: what each kind of line gets. In every case the text loses its indentation first, and must come back as it was. */
#include "../gen/indent.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct text indented(const char *text) {
  struct indent indent = {.blank = false};
  struct text out = {NULL, 0, 0};
  for (const char *newline; (newline = strchr(text, '\n')) != NULL; text = newline + 1)
    indent_line(&indent, text, (size_t)(newline - text), &out);
  indent_line(&indent, text, strlen(text), &out);
  return out;
}

static void check(const char *text, const char *expected) {
  struct text out = indented(text);
  assert_string_equal(out.data ? out.data : "", expected);
  text_free(&out);
}

/* `text` without the blanks at the start of its lines comes back. */
static void comes_back(const char *text) {
  struct text flat = {NULL, 0, 0};
  for (const char *at = text; *at; at++) {
    if (at == text || at[-1] == '\n') at += strspn(at, " ");
    text_add(&flat, at, 1);
  }
  check(flat.data, text);
  text_free(&flat);
}

static void braces(void **state) {
  (void)state;
  comes_back("void f(void) {\n  for (;;) {\n    x = 1;\n  }\n}\nint y;\n");
  comes_back("for (;;) { for (;;) {\n    x;\n}}\ny;\n");
  comes_back("if (x) {\n  y;\n} else {\n  z;\n}\n");
  comes_back("static const int w[] = {\n  1, 2,\n  3\n};\nint x;\n");
  comes_back("enum {\n  A = 1,\n  B\n};\n");
  comes_back("}\n}\nint x; /* more closed than opened */\n");
}

static void statements(void **state) {
  (void)state;
  comes_back("f(a,\n    b, (c +\n    d));\ne;\n");
  comes_back("void f(int a,\n    int b) {\n  x;\n}\n");
  comes_back("{\n  x =\n      y +\n      z;\n  w;\n}\n");
  comes_back("{\n  x = y\n      + z\n      ? 1\n      : 2;\n  *p = 3;\n  --q;\n}\n");
  comes_back("if (a &&\n    b)\n  x;\ny;\n");
  comes_back("for (;;)\n  if (x)\n    y;\nz;\n");
  comes_back("ROLLED\nfor (;;)\n  ROLLED\n  for (;;)\n    f(a);\nif (x) y;\nif (x) y;\nif (x)\n  y;\nelse if (z)\n  "
             "y;\nelse\n  y;\n");
  comes_back("if (x) {\n  a;\n}\nelse\n  y;\nz;\n");
  comes_back("int g(void)\n{\n  x;\n}\n");
  comes_back("a[b[\n    1]] = 2;\n");
}

static void literals_and_comments(void **state) {
  (void)state;
  comes_back("a = \"{\";\nb = '{';\nc = '\\'', d = \"\\\"{\";\ne;\n");
  comes_back("a; // {\nb; /* { */\nc; /* ( */ {\n  d;\n}\n");
  comes_back("/* one\n * two {\n */\n{\n  /* three\n     four */\n  x; /* five\n      * six */\n}\n");
  comes_back("a = '\\\\';\nb;\n");
}

static void preprocessor(void **state) {
  (void)state;
  comes_back("{\n#pragma x {\n  a;\n#if A\n  b;\n#endif\n}\n");
  comes_back("#if A\nvoid f(void) {\n#else\nvoid g(void) {\n#endif\n  x;\n}\n");
  comes_back("#if A\n{\n#elif B\n{\n#  if C\n  {\n    x;\n  }\n#  endif\n#endif\n  y;\n}\n");
  comes_back("#ifdef __cplusplus\nextern \"C\" {\n#endif\nint a;\n#ifdef __cplusplus\n}\n#endif\nint b;\n");
  comes_back("{\n#define M(x) \\\n  do { \\\n    x; \\\n  } while (0)\n  y;\n}\n");
}

static void blanks(void **state) {
  (void)state;
  check("", "");
  check("\n\n \n", "");
  check("\n\na;  \t\n\n  \n\nb;\n\n\n", "a;\n\nb;\n");
  check("\t {\n\t\t x;\n\t }\n", "{\n  x;\n}\n");
}

/* Nesting beyond what is kept is still counted. */
static void deep(void **state) {
  struct text text = {NULL, 0, 0};
  (void)state;
  for (int i = 0; i < 200; i++) text_print(&text, "{\n#if X\n");
  for (int i = 0; i < 200; i++) text_print(&text, "}\n#endif\n");
  text_print(&text, "x;\n");
  struct text out = indented(text.data);
  assert_non_null(strstr(out.data, "\nx;\n"));
  text_free(&out);
  text_free(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(braces),       cmocka_unit_test(statements), cmocka_unit_test(literals_and_comments),
      cmocka_unit_test(preprocessor), cmocka_unit_test(blanks),     cmocka_unit_test(deep),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
