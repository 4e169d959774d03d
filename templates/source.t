$ -- NAME.c: one section for each target, then the choice among them.
$ import("lib/head.t")
$ import("lib/baked.t")
$ local when = import("lib/when.lua")
$ for _, target in ipairs(targets) do
$   local section = import(target.template).section
$   when.only(target.isa.when, function() section(target, #targets > 1 and layer.name .. "_" .. target.name or layer.name) end)

$ end
$ import("lib/pick.t")
