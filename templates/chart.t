$ -- The picture of a bench: title, rows, as lib/chart.lua takes them.
$ emit_raw(import("lib/chart.lua")({ title = title, rows = rows }))
