/* JSON output, written piece by piece: commas, quotes, escapes and indentation are this module's business. */
#ifndef GEN_JSON_H
#define GEN_JSON_H
#include "text.h"
#include <stdbool.h>
#include <stdint.h>

struct json {
  struct text text; /* what was written so far */
  int depth;
  bool more;  /* the object or list that is open has a value already */
  bool keyed; /* a key waits for its value */
};

/* Open and close: '{' '}' '[' ']'. */
void json_open(struct json *json, char bracket);
void json_close(struct json *json, char bracket);
/* The key of the value that follows. */
void json_key(struct json *json, const char *key);
void json_string(struct json *json, const char *value); /* NULL: null */
void json_integer(struct json *json, int64_t value);
void json_number(struct json *json, double value); /* what JSON cannot say (NaN, infinity) is null */
void json_bool(struct json *json, bool value);
/* Ends the text with a newline, writes it to standard output and frees it. */
void json_print(struct json *json);
#endif
