$ -- The function by which a kernel's vectors come from stretches that are read in turns.
$ return function(K)
$   local V = K.V
$   if not V.fetches then return end
CONVSMITH_INLINE ${V.isa.attribute}
${V.type} ${K.symbol}_fetch(const ${V.ctype} *p)
{
${V.fetched("p")}
}

$ end
