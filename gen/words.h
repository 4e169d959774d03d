/* Numbers as text, for templates. */
#ifndef GEN_WORDS_H
#define GEN_WORDS_H
#include <lua.h>

/* hex_words(form, bytes, width, first, last): words number first to last (from 1) of `width` bytes each, every one with all its
 * hexadecimal digits in the place of form's "%s", with ", " between them. */
int words_hex(lua_State *L);
#endif
