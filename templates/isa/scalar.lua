-- Plain C, one lane, every compiler and CPU: the base of all other ISAs. What they do not say, they inherit from here.
--
-- Operations are strings with holes %1 %2 … (a name, a literal or a bracketed expression; an operation may repeat them) and %n, the
-- live lanes of a partial vector. An operation that ends in ';' is a statement. docs/templates.md lists the fields.

local function type_of(ctype, zero)
  return {
    ctype = ctype, type = ctype, lanes = 1,
    zero = zero,
    set1 = "(%1)",
    set = false, -- the scalars %i, one a lane
    load = "*(%1)",
    store = "*(%1) = %2;",
    load_part = "*(%1)",
    load_lanes = false, -- of a vector at %1 only the lanes from %f, %n of them; %b, %l, %p: docs/templates.md
    store_part = "*(%1) = %2;",
    broadcast = "*(%1)",
    add = "%1 + %2",
    sub = "%1 - %2",
    sum = "(%1)", -- of all lanes: a scalar
    sums = false, -- of %1 to %4, side by side to %5
    permute = false,
    order = false, -- what permute takes beside %1
    even = false, -- even lanes of %1, then odd lanes of %2
    fetch = false, -- returns the whole vector at %1, which teaches no hardware to fetch ahead
    pieces = false, -- {count, load}: a vector of equal parts at %1, %2 …
    shuffle = false, -- lanes of %1 and %2, counted through both
    planes = false, -- tiles of bf16 planes: isa/amx.lua
    mul = "%1 * %2",
    div = false,
    scale = false, -- %1 · 2^%2 for a whole %2; without it and div smooth activations go through the C library
    -- of a constant and x: x where x is NaN
    max = "(%2 < %1 ? %1 : %2)",
    min = "(%2 > %1 ? %1 : %2)",
    blend = false, -- %2 in the lanes that %b or %l say, %1 in the others
    -- the larger one; NaN where one is NaN
    top = "(%1 > %2 || %1 != %1 ? %1 : %2)",
    -- of more: which lanes have NaN in %1 or %2, with what is known in %3; the larger one, NaN there or where %2 is NaN
    tops = false,
    minus = "%1 - %2 * %3",
    -- %1 < 0 ? %2 : %3 in each lane
    select_negative = "(%1 < " .. zero .. " ? %2 : %3)",
  }
end

-- bf16 in memory is the upper half of an f32; stored to the nearest, ties to even, and NaN stays a quiet NaN.
local bf16_prelude = { name = "BF16", text = [[
CONVSMITH_INLINE float convsmith_bf16_widen(uint16_t a)
{
union {
uint32_t bits;
float value;
} wide;
wide.bits = (uint32_t)a << 16;
return wide.value;
}
CONVSMITH_INLINE uint16_t convsmith_bf16_narrow(float a)
{
union {
float value;
uint32_t bits;
} wide;
wide.value = a;
if (a != a) return (uint16_t)(wide.bits >> 16 | 0x40u);
return (uint16_t)((wide.bits + 0x7fffu + (wide.bits >> 16 & 1u)) >> 16);
}
]] }

-- Vectors of `numbers` whose elements are something else in memory: the row of those, but for what loads and stores.
local bf16 = {
  numbers = "f32", ctype = "uint16_t", lanes = 1,
  preludes = { bf16_prelude }, -- C text that these operations use: each name once a file
  load = "convsmith_bf16_widen(*(%1))", load_part = "convsmith_bf16_widen(*(%1))", broadcast = "convsmith_bf16_widen(*(%1))",
  store = "*(%1) = convsmith_bf16_narrow(%2);", store_part = "*(%1) = convsmith_bf16_narrow(%2);",
}

local vec = { f32 = type_of("float", "0.0f"), f64 = type_of("double", "0.0"), bf16 = bf16 }
-- acc %1 += x %2 * w %3. live: only where w is not zero.
local mac = {
  { x = "f32", w = "f32", acc = "f32", op = "%1 + %2 * %3", live = "(%3 != 0.0f ? %1 + %2 * %3 : %1)" },
  { x = "f64", w = "f64", acc = "f64", op = "%1 + %2 * %3", live = "(%3 != 0.0 ? %1 + %2 * %3 : %1)" },
}

return {
  name = "scalar",
  about = "plain C, every compiler and CPU",
  rank = 0,
  when = "1",             -- #if around everything of this ISA
  headers = {},
  prelude = false,        -- C text that the operations use, once a file
  attribute = "CONVSMITH_LANE", -- of every function: gcc turns loops over few steps into shuffles, five times slower
  probe = { arch = "any", cpuid = {}, xcr0 = 0, permission = false, macro = false },
  limits = {},            -- environment, "NAME=VALUE", that keeps other libraries to this ISA: bench compares like with like
  within = {},            -- libraries whose f32 kernels use no more than this ISA wherever they run
  flags = {},             -- of a compiler that may use this ISA everywhere
  registers = 15,         -- for a tile: of 16, one is for products
  mac_bytes = 12,         -- of code, for estimates
  macs_per_cycle = 1,     -- the same
  pin = false,            -- asm constraint of vector registers: keeps a loaded value in one (gcc would reload it for each use)
  mac_asm = false,        -- multiply-adds as assembly {f32 =, f64 =}, where compilers copy accumulators or spill them
  lanes_asm = false,      -- the same for some lanes only {f32 = {text, constraint, mask}, f64 =}, where compilers blend in other ways
  folds = false,          -- a multiply-add broadcasts an element of memory by itself
  barrier = false,        -- keep loads of different steps apart, or the compiler spills
  vec = vec,
  mac = mac,
  single = { vec = vec, mac = mac, mac_asm = false, lanes_asm = false }, -- operations on one element, which every ISA has
}
