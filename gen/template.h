/* The template compiler: template text to the text of a Lua chunk, line by line. */
#ifndef GEN_TEMPLATE_H
#define GEN_TEMPLATE_H
#include "text.h"
#include <stdbool.h>

/* Appends the chunk to `lua`: line n of the template is line n of the chunk. The chunk takes one argument, the function that prints
 * a line: it is called with literal, value, literal, ..., literal. NULL on success, else what is wrong with line *line. */
const char *template_compile(const char *text, size_t size, struct text *lua, int *line);
/* The expression of the hole number `index` (from 0) of a template line that compiles. False if there is no such hole. */
bool template_hole(const char *line, size_t size, size_t index, const char **expression, size_t *length);
#endif
