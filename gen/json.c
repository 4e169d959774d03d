/* JSON output. The state is one flag: whether a comma is due before the next key or value. */
#include "json.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void new_line(struct json *json) {
  text_print(&json->text, "\n%*s", 2 * json->depth, "");
}

/* What stands between the text so far and a value or key. */
static void separate(struct json *json) {
  if (json->keyed) {
    json->keyed = false;
    return;
  }
  if (json->more) text_add(&json->text, ",", 1);
  if (json->depth > 0) new_line(json);
  json->more = true;
}

void json_open(struct json *json, char bracket) {
  separate(json);
  text_add(&json->text, &bracket, 1);
  json->depth++;
  json->more = false;
}

void json_close(struct json *json, char bracket) {
  json->depth--;
  if (json->more) new_line(json);
  text_add(&json->text, &bracket, 1);
  json->more = true;
}

static void put_char(struct json *json, unsigned char c) {
  if (c == '"' || c == '\\')
    text_print(&json->text, "\\%c", c);
  else if (c < 0x20)
    text_print(&json->text, "\\u%04x", (unsigned)c);
  else
    text_print(&json->text, "%c", c);
}

static void put_string(struct json *json, const char *value) {
  text_add(&json->text, "\"", 1);
  for (; *value; value++) put_char(json, (unsigned char)*value);
  text_add(&json->text, "\"", 1);
}

void json_key(struct json *json, const char *key) {
  separate(json);
  put_string(json, key);
  text_add(&json->text, ": ", 2);
  json->keyed = true;
}

void json_string(struct json *json, const char *value) {
  separate(json);
  if (value)
    put_string(json, value);
  else
    text_add(&json->text, "null", 4);
}

void json_integer(struct json *json, int64_t value) {
  separate(json);
  text_print(&json->text, "%" PRId64, value);
}

void json_number(struct json *json, double value) {
  separate(json);
  if (isfinite(value))
    text_print(&json->text, "%.17g", value);
  else
    text_add(&json->text, "null", 4);
}

void json_bool(struct json *json, bool value) {
  separate(json);
  text_print(&json->text, "%s", value ? "true" : "false");
}

void json_print(struct json *json) {
  text_add(&json->text, "\n", 1);
  fwrite(json->text.data, 1, json->text.size, stdout);
  text_free(&json->text);
}
