/* The JSON writer. */
#include "../gen/json.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void objects_and_lists(void **state) {
  (void)state;
  struct json json = {0};
  json_open(&json, '{');
  json_key(&json, "a");
  json_integer(&json, INT64_MIN);
  json_key(&json, "b");
  json_open(&json, '[');
  json_number(&json, 0.1);
  json_bool(&json, true);
  json_string(&json, NULL);
  json_close(&json, ']');
  json_key(&json, "c");
  json_open(&json, '{');
  json_close(&json, '}');
  json_close(&json, '}');
  assert_string_equal(json.text.data,
                      "{\n  \"a\": -9223372036854775808,\n  \"b\": [\n    0.10000000000000001,\n    true,\n    null\n  ],\n"
                      "  \"c\": {}\n}");
  text_free(&json.text);
}

static void what_json_cannot_say(void **state) {
  (void)state;
  struct json json = {0};
  json_open(&json, '[');
  json_string(&json, "\"\\\n\x01ü");
  json_number(&json, NAN);
  json_number(&json, -INFINITY);
  json_close(&json, ']');
  assert_string_equal(json.text.data, "[\n  \"\\\"\\\\\\u000a\\u0001ü\",\n  null,\n  null\n]");
  text_free(&json.text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(objects_and_lists), cmocka_unit_test(what_json_cannot_say)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
