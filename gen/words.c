/* Numbers as text for templates, a run of them at once: baked values are millions, and Lua's string.format for each takes several
 * times as long. What stands around each of them the template says. */
#include "words.h"
#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Appends the digits of the word at `bytes`, in this machine's byte order: two for each byte, the highest first. */
static void add_digits(luaL_Buffer *text, const char *bytes, size_t width) {
  static const char digits[] = "0123456789abcdef";
  const uint16_t one = 1;
  const bool little = *(const char *)&one == 1;
  char *to = luaL_prepbuffsize(text, 2 * width);
  for (size_t i = 0; i < width; i++) {
    const unsigned char byte = (unsigned char)bytes[little ? width - 1 - i : i];
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
  }
  luaL_addsize(text, 2 * width);
}

int words_hex(lua_State *L) {
  size_t size;
  const char *form = luaL_checkstring(L, 1), *hole = strstr(form, "%s"), *bytes = luaL_checklstring(L, 2, &size);
  const lua_Integer width = luaL_checkinteger(L, 3), first = luaL_checkinteger(L, 4), last = luaL_checkinteger(L, 5);
  luaL_Buffer text;
  luaL_argcheck(L, hole, 1, "'%s' is not in it");
  luaL_argcheck(L, width >= 1 && width <= 8, 3, "a word has 1 to 8 bytes");
  luaL_argcheck(L, first >= 1, 4, "words are counted from 1");
  luaL_argcheck(L, last <= (lua_Integer)size / width, 5, "there are not so many words");
  luaL_buffinit(L, &text);
  for (lua_Integer i = first; i <= last; i++) {
    if (i > first) luaL_addlstring(&text, ", ", 2);
    luaL_addlstring(&text, form, (size_t)(hole - form));
    add_digits(&text, bytes + (i - 1) * width, (size_t)width);
    luaL_addstring(&text, hole + 2);
  }
  luaL_pushresult(&text);
  return 1;
}
