$ -- NAME.c: one section for each target, then the choice among them.
$ import("lib/head.t")
$ import("lib/baked.t")
$ for _, target in ipairs(targets) do
#if ${target.isa.when}
$   local section = import(target.template)
$   section(target, #targets > 1 and layer.name .. "_" .. target.name or layer.name)
#endif

$ end
$ import("lib/pick.t")
