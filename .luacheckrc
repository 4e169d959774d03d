-- Templates' Lua: what the sandbox gives beside the language (docs/templates.md).
std = "lua54"
read_globals = { "builtin", "capture", "derive", "emit", "emit_raw", "fail", "has", "hex_words", "import", "keys" }
unused_args = false -- rows of a table share one signature
ignore = { "213" } -- an unused loop variable counts turns
max_line_length = 160
