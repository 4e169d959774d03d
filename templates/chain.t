$ -- Stages in one function, with some rows of each kept for the next: the kernels of every stage by its own template, and a part's
$ -- blocks of rows that go through all of them.
$ local arguments = import("lib/arguments.lua")
$ local vec = import("lib/vec.lua")
$ local stage = import("lib/stage.t")
$ local parts = import("lib/parts.t")
$ local pack = import("lib/pack.t")
$ local images = { image = true } -- a chain's own to count
$ local divided = { image = true, blocks = true } -- of a block of rows that several shares take, some of the last stage's channels too
$ local templates = {}
$ local function template(K)
$   if not templates[K.template] then templates[K.template] = import(K.template) end
$   return templates[K.template]
$ end

$ local function given(K, chain) return K.stage == #chain and chain.splits > 1 and divided or images end

$ -- The rows [a, b) of each stage that a block needs, from the last to the first.
$ local function ranges(chain)
$   local last = #chain
const ptrdiff_t a${last} = block * ${chain.rows};
const ptrdiff_t b${last} = a${last} + ${chain.rows} < ${chain[last].output} ? a${last} + ${chain.rows} : ${chain[last].output};
$   for s = last - 1, 1, -1 do
$     local next = chain[s + 1]
$     local reach = next.pad - (next.kernel - 1) * next.dilation - 1
const ptrdiff_t from${s} = a${s + 1} * ${next.stride} - ${next.pad}, to${s} = (b${s + 1} - 1) * ${next.stride} - ${reach};
const ptrdiff_t a${s} = (from${s} < 0 ? 0 : from${s}) * ${next.together};
const ptrdiff_t b${s} = (to${s} < ${next.input} ? to${s} : ${next.input}) * ${next.together};
$   end
$ end

$ -- Rows [a, b) of the outermost axis as the kernel numbers its own: all, where that has one row.
$ local function numbered(K, a, up)
$   if K.single then return up and K.rows or 0 end
$   if #K.axes == 0 then return K.tall_rows == 1 and a or ("(%s%s) / %d"):format(a, up and " + " .. K.tall_rows - 1 or "", K.tall_rows) end
$   local each = K.rows // K.axes[1].output
$   return each == 1 and a or a .. " * " .. each
$ end

$ local function between(chain, s, T)
$   local at = 0
$   for i = 1, s - 1 do at = at + chain[i].between end
$   return vec.at("(" .. T .. " *)workspace", at)
$ end

$ -- The first row of the input that the next block reads and this one does not.
$ local function next_rows(chain)
$   local first, input = chain[1], layer.inputs[1].name
$   local row = ("((b1 - 1) * %d + %d)"):format(first.stride, (first.kernel - 1) * first.dilation - first.pad + 1)
$   local image = chain.batch > 1 and " + (uintptr_t)image * " .. chain.x_batch or ""
$   return ("(uintptr_t)%s + ((uintptr_t)%s * %d%s) * sizeof *%s"):format(input, row, first.x_row, image, input)
$ end

$ local function call(K, chain, target)
$   local s, T = K.stage, K.V.ctype
$   local values = {
$     x = s == 1 and vec.at(layer.inputs[1].name, K.x_first) or between(chain, s - 1, T),
$     y = s == #chain and vec.at("output", K.y_first) or between(chain, s, T),
$     r = vec.at("residual", K.y_first),
$     x0 = s > 1 and chain[s].line == 0 and "a" .. s - 1 .. (chain[s].together > 1 and " / " .. chain[s].together or "") or "0",
$     y0 = "a" .. s, r0 = numbered(K, "a" .. s, false), r1 = numbered(K, "b" .. s, true),
$   }
$   if chain[s].line > 0 then
$     local line = (" + a%d * %d"):format(s, chain[s].line)
$     values.y, values.r = values.y .. line, values.r .. line
$   end
$   if chain.batch > 1 and s == 1 then values.x = values.x .. " + image * " .. chain.x_batch end
$   if s == 2 then values.next = next_rows(chain) end
$   if chain.batch > 1 and s == #chain then
$     values.y = values.y .. " + image * " .. chain.y_batch
$     values.r = values.r .. " + image * " .. chain.y_batch
$   end
{
$   if chain.splits > 1 and s == #chain then
$     values.c0 = ("split * %d / %d"):format(K.channel_blocks, chain.splits)
$     values.c1 = ("(split + taken) * %d / %d"):format(K.channel_blocks, chain.splits)
$   end
$   parts.parameter_pointers(K)
$   stage.call(K, given(K, chain), values)
}
$ end

$ local function define_part(kernels, chain, target, symbol)
$   local last = chain[#chain]
$   local blocks = (last.output + chain.rows - 1) // chain.rows
void ${symbol}_part(${arguments.declare(arguments.join(arguments.call_list(layer), arguments.share))})
{
$   parts.shares(chain.batch * blocks * chain.splits)
$   local number = "u"
CONVSMITH_ROLLED
$   if chain.splits > 1 then
for (ptrdiff_t u = from, taken; u < end; u += taken) {
const ptrdiff_t split = u % ${chain.splits};
taken = end - u < ${chain.splits} - split ? end - u : ${chain.splits} - split;
$     number = "u / " .. chain.splits
$   else
for (ptrdiff_t u = from; u < end; u++) {
$   end
$   if chain.batch > 1 then
const ptrdiff_t image = ${number} / ${blocks}, block = ${number} % ${blocks};
$   else
const ptrdiff_t block = ${number};
$   end
$   ranges(chain)
$   for _, K in ipairs(kernels) do call(K, chain, target) end
}
}
$ end

$ local function section(target, symbol)
$   local kernels, chain = parts.kernels(target, symbol), target.kernels.chain
$   for _, K in ipairs(kernels) do
$     template(K).define(K)
$     stage.define(K, template(K), given(K, chain))
$   end
$   pack(kernels, symbol)
$   define_part(kernels, chain, target, symbol)
$   parts.whole(symbol)
$ end

$ return { section = section }
