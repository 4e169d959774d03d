/* The picture of a bench: numbers go to templates/chart.t, which draws. */
#include "bench_print.h"
#include "signature.h"
#include <string.h>

static void set_number(lua_State *L, const char *key, double value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, key);
}

/* {name, ratio}: of each peer that was timed. */
static void push_bars(lua_State *L, const struct bench_section *section, const struct bench_row *row) {
  lua_Integer count = 0;
  lua_newtable(L);
  for (size_t i = 0; i < section->peers.count; i++) {
    const struct bench_peer *one = &row->peers[i];
    if (section->peers.items[i].slow || one->best < 0) continue;
    lua_newtable(L);
    set_text(L, "name", section->peers.items[i].name);
    set_number(L, "ratio", one->entries[one->best].ratio);
    lua_rawseti(L, -2, ++count);
  }
}

/* The layer's place in the roofline: a list of one. */
static void push_dots(lua_State *L, const struct bench_row *row) {
  lua_newtable(L);
  lua_newtable(L);
  set_text(L, "name", row->layer->name);
  set_text(L, "target", row->isa->name);
  set_number(L, "intensity", 2 * row->macs / row->bytes);
  set_number(L, "peak", row->share_of_peak);
  set_number(L, "limit", row->share_of_limit > 0 ? row->share_of_peak / row->share_of_limit : 1);
  lua_rawseti(L, -2, 1);
}

static void push_row(lua_State *L, const struct bench_section *section, const struct bench_row *row) {
  lua_newtable(L);
  set_text(L, "name", row->layer->name);
  set_text(L, "target", section->isa->name);
  push_bars(L, section, row);
  lua_setfield(L, -2, "bars");
  push_dots(L, row);
  lua_setfield(L, -2, "dots");
}

bool bench_draw(const struct bench_results *results, struct text *picture, struct text *message) {
  lua_State *L = engine_lua(results->job->engine);
  lua_Integer count = 0;
  lua_newtable(L);
  const char *path = results->job->options->spec, *slash = strrchr(path, '/');
  set_text(L, "title", slash ? slash + 1 : path);
  lua_newtable(L);
  for (size_t s = 0; s < results->count; s++) {
    const struct bench_section *section = &results->sections[s];
    for (size_t i = 0; i < section->count; i++) {
      if (!section->rows[i]->done) continue;
      push_row(L, section, section->rows[i]);
      lua_rawseti(L, -2, ++count);
    }
  }
  lua_setfield(L, -2, "rows");
  if (engine_expand(results->job->engine, "chart.t", picture)) return true;
  text_print(message, "%s", engine_error(results->job->engine));
  return false;
}
