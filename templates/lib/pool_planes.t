$ -- Windows that are all of a plane whose elements are neighbours: planes are reduced in vectors of their own, one for each, and vectors
$ -- of planes are joined until each lane has one.
$ local at = import("lib/vec.lua").at
$ local K, V, combine -- the kernel that is being printed, its operations, and two vectors combined

$ -- `count` more vectors of plane p: combined first, so that few of these wait for each other.
$ local function add_vectors(p, count, pointer)
$   local list = {}
$   for i = 1, count do
$     list[i] = ("next%d_%d"):format(p, i)
const ${V.type} ${list[i]} = ${V.get(pointer(i - 1), 1, V.lanes)};
$   end
$   if V.tops and not K.mean then
$     list[count + 1] = "p" .. p
p${p} = ${V.top(list)};
$   else
$     for i = 2, count do
const ${V.type} sum${p}_${i} = ${combine(i == 2 and list[1] or "sum" .. p .. "_" .. i - 1, list[i])};
$     end
p${p} = ${combine("p" .. p, count > 1 and "sum" .. p .. "_" .. count or list[1])};
$   end
$ end

$ -- Joins planes p0, p1, ... of a list to those that are `apart` further, where these are: of both, lanes that are as far from each
$ -- other as halves of what is left of a plane are combined, p's in the place of the first half. Returns those that are left.
$ local function join_once(list, apart)
$   local joined, near, far, distance = {}, {}, {}, V.lanes // 2 // apart
$   for lane = 0, V.lanes - 1 do
$     local own = lane & distance == 0
$     near[lane + 1] = own and lane or V.lanes + (lane ~ distance)
$     far[lane + 1] = own and lane ~ distance or V.lanes + lane
$   end
$   for _, p in ipairs(list) do
$     if p & apart == 0 then
$       local other = "p" .. (p + apart <= list[#list] and p + apart or p)
{
const ${V.type} near = ${V.shuffle("p" .. p, other, near)};
const ${V.type} far = ${V.shuffle("p" .. p, other, far)};
p${p} = ${combine("near", "far")};
}
$       joined[#joined + 1] = p
$     end
$   end
$   return joined
$ end

$ -- The same of planes that are `from` apart, then twice as much, before `to`.
$ local function join(list, from, to)
$   while from < to do
$     list = join_once(list, from)
$     from = 2 * from
$   end
$ end

$ -- The lanes of joined planes, in order: the bits of p the other way round.
$ local function joined_lanes()
$   local list = { 0 }
$   while #list < V.lanes do
$     local distance = V.lanes // 2 // #list
$     for p = 1, #list do list[#list + 1] = list[p] + distance end
$   end
$   return list
$ end

$ -- Planes of a group, `count` of them, each in a vector, then joined to one: whole vectors, then what is left behind them (of the
$ -- larger, the last vector once more).
$ local function reduce_planes(count, group)
$   local taps, lanes = K.axes[1].taps, V.lanes
$   local rest = taps % lanes
$   local function plane(p, offset) return at("xc", p * K.x_lane) .. offset end
$   for p = 0, count - 1 do
${V.type} p${p} = ${V.get(plane(p, ""), 1, lanes)};
$   end
$   local vectors, at_once = taps // lanes - 1, 2
$   local left = vectors % at_once
$   if vectors >= at_once then
CONVSMITH_ROLLED
for (ptrdiff_t k = ${lanes}; k < ${taps - rest - left * lanes}; k += ${at_once * lanes}) {
$     for p = 0, count - 1 do add_vectors(p, at_once, function(i) return plane(p, " + k" .. (i > 0 and " + " .. i * lanes or "")) end) end
}
$   end
$   for p = 0, left > 0 and count - 1 or -1 do
{
$     add_vectors(p, left, function(i) return plane(p, " + " .. taps - rest - (left - i) * lanes) end)
}
$   end
$   local list = {}
$   for p = 0, count - 1 do
$     if rest > 0 then
$       local from = " + " .. taps - (K.mean and rest or lanes)
const ${V.type} rest${p} = ${V.get(plane(p, from), 1, K.mean and rest or lanes)};
p${p} = ${combine("p" .. p, "rest" .. p)};
$     end
$     list[p + 1] = p
$   end
$   join(list, 1, group)
$ end

$ -- A vector of channels whose windows are planes: groups in a loop, since what fetches ahead follows short steps of a load, then these
$ -- are joined to one vector.
$ local function planes(kernel, v, combining)
$   K, V, combine = kernel, kernel.V, combining
$   local group = math.min(4, V.lanes)
$   local share, rest, groups = V.lanes // group, v.live % group, {}
${V.ctype} joined[${(v.live + group - 1) // group * V.lanes}];
$   if v.live >= group then
CONVSMITH_ROLLED
for (ptrdiff_t c = 0; c < ${v.live - rest}; c += ${group}) {
const ${V.ctype} *xc = x + c * ${K.x_lane};
$     reduce_planes(group, group)
${V.put("joined + c * " .. share, 1, V.lanes, "p0")}
}
$   end
$   if rest > 0 then
{
const ${V.ctype} *xc = ${at("x", (v.live - rest) * K.x_lane)};
$     reduce_planes(rest, group)
${V.put(at("joined", (v.live - rest) * share), 1, V.lanes, "p0")}
}
$   end
$   for first = 0, v.live - 1, group do
${V.type} p${first} = ${V.get(at("joined", first * share), 1, V.lanes)};
$     groups[#groups + 1] = first
$   end
$   join(groups, group, V.lanes)
const ${V.type} c${v.number}_0 = ${V.shuffle("p0", "p0", joined_lanes())};
$ end

$ return planes
