$ -- NAME_pack of transforms: each kernel's spectrum, a sum over its taps in double precision, in the order in which passes leave
$ -- points; bias and slope. K: the kernel (gen/fft.h has the words).
$ local arguments = import("lib/arguments.lua")

$ -- cos(2πi/n) of the longest axis.
$ local function define_cosines(K)
static const double ${K.symbol}_fft_cosines[${#K.cosines}] = {
$   for first = 1, #K.cosines, 4 do
$     local list = {}
$     for i = first, math.min(first + 3, #K.cosines) do list[#list + 1] = ("%.17g"):format(K.cosines[i]) end
${table.concat(list, ", ")},
$   end
};
$ end

$ -- The frequency that passes leave at place i, in steps of the table.
$ local function frequency(K, axis, i)
$   local number = #axis.forward > 1 and ("(%s / %d + %s %% %d * %d)"):format(i, axis.second, i, axis.second, axis.first) or i
$   return ("%s * %d"):format(number, #K.cosines // axis.points)
$ end

$ -- The index in the table of `angle`, and of what is a quarter of a turn before it.
$ local function index(K, angle, before)
$   return ("(%s%s) & %d"):format(angle, before and " + " .. 3 * #K.cosines // 4 or "", #K.cosines - 1)
$ end

$ -- One kernel: a column is transformed along its rows first. Kernels are not turned round: their spectrum is the conjugate, and shares
$ -- the factor that transforms there and back leave.
$ local function define_spectrum(K)
$   local T, tall, row = K.V.ctype, K.axes[1], K.axes[2]
static void ${K.symbol}_fft_spectrum(const ${T} *w, ${T} *to)
{
CONVSMITH_ROLLED
for (ptrdiff_t c = 0; c < ${row.points}; c++) {
const ptrdiff_t turn = ${frequency(K, row, "c")};
double re[${tall.kernel}], im[${tall.kernel}];
CONVSMITH_ROLLED
for (ptrdiff_t a = 0; a < ${tall.kernel}; a++) {
re[a] = im[a] = 0;
CONVSMITH_ROLLED
for (ptrdiff_t k = 0; k < ${row.kernel}; k++) {
const double value = w[a * ${tall.w} + k * ${row.w}];
re[a] += value * ${K.symbol}_fft_cosines[${index(K, "k * turn", false)}];
im[a] += value * ${K.symbol}_fft_cosines[${index(K, "k * turn", true)}];
}
}
CONVSMITH_ROLLED
for (ptrdiff_t p = 0; p < ${tall.points}; p++) {
const ptrdiff_t step = ${frequency(K, tall, "p")};
double real = 0, imaginary = 0;
CONVSMITH_ROLLED
for (ptrdiff_t a = 0; a < ${tall.kernel}; a++) {
const double cosine = ${K.symbol}_fft_cosines[${index(K, "a * step", false)}], sine = ${K.symbol}_fft_cosines[${index(K, "a * step", true)}];
real += re[a] * cosine - im[a] * sine;
imaginary += re[a] * sine + im[a] * cosine;
}
to[0] = (${T})(real * ${("%.17g"):format(1 / (tall.points * row.points))});
to[${K.w_lane}] = (${T})(imaginary * ${("%.17g"):format(1 / (tall.points * row.points))});
to += ${2 * K.in_channels * K.w_lane};
}
}
}

$ end

$ local function spectra(K)
$   if K.over_groups and K.last < K.V.lanes then
CONVSMITH_ROLLED
for (ptrdiff_t i = ${(K.bundles - 1) * K.w_group}; i < ${K.w_size}; i++) p[i] = 0;
$   end
CONVSMITH_ROLLED
for (ptrdiff_t g = 0; g < ${K.groups}; g++)
CONVSMITH_ROLLED
for (ptrdiff_t m = 0; m < ${K.out_channels}; m++)
CONVSMITH_ROLLED
for (ptrdiff_t c = 0; c < ${K.in_channels}; c++)
$   local group = K.over_groups and ("g / %d * %d + g %% %d"):format(K.V.lanes, K.w_group, K.V.lanes) or "g * " .. K.w_group
${K.symbol}_fft_spectrum(weights + ${K.w_first} + g * ${K.w_from_group} + m * ${K.w_from_out} + c * ${K.w_from_in}, p + ${group} + m * ${K.w_out} + c * ${2 * K.w_lane});
$ end

$ local function vector(K, name, at)
CONVSMITH_ROLLED
for (ptrdiff_t g = 0; g < ${K.groups}; g++)
CONVSMITH_ROLLED
for (ptrdiff_t m = 0; m < ${K.out_channels}; m++) p[${at} + g * ${K.b_group} + m * ${K.b_out}] = ${name}[g * ${K.out_channels} + m];
$ end

$ return function(K, symbol)
$   local at = K.baked_weights and 0 or K.w_size
$   if not layer.packed then return end
$   if not K.baked_weights then
$     define_cosines(K)
$     define_spectrum(K)
$   end
void ${symbol}_pack(${arguments.declare(arguments.pack_list(layer))})
{
${K.V.ctype} *p = (${K.V.ctype} *)packed;
$   if not K.baked_weights then spectra(K) end
$   if K.bias and not K.baked_bias then
$     vector(K, "bias", at)
$     at = at + K.b_size
$   end
$   if K.activation.name == "prelu" then vector(K, "slope", at) end
}

$ end
