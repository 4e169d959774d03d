-- Draws specs/odd.yaml: 40 layers of shapes that libraries rarely tune for, from a fixed seed.
-- usage: lua5.4 tools/odd.lua > specs/odd.yaml
--
-- Dense layers of 1 to 33 channels; kernels 1x7, 7x1, 4x4, 11x11 and the usual ones; pictures that are not square; strides 1 to 3; groups 1 to 32.

local COUNT, SEED = 40, 20240229
local state = SEED

-- A number from 1 to n: the high bits of Knuth's 64-bit linear congruential generator.
local function draw(n)
  state = state * 6364136223846793005 + 1442695040888963407
  return (state >> 33) % n + 1
end

local function pick(list)
  return list[draw(#list)]
end

local kernels = { { 1, 1 }, { 3, 3 }, { 5, 5 }, { 1, 7 }, { 7, 1 }, { 4, 4 }, { 11, 11 }, { 2, 3 } }

-- Half of the layers have groups: 2 to 32 of them, 1 to 4 channels in each, 1 or 2 outputs for each channel.
local function channels(index)
  if index % 2 == 0 then return 1, draw(33), draw(33) end
  local groups, each = pick { 2, 3, 4, 8, 12, 16, 32 }, pick { 1, 2, 4 }
  return groups, groups * each, groups * each * pick { 1, 1, 2 }
end

local function layer(index)
  local kernel = kernels[(index - 1) // 2 % #kernels + 1]
  local groups, inputs, outputs = channels(index)
  local height, width, stride = 12 + draw(60), 12 + draw(60), pick { 1, 1, 2, 3 }
  local padding = draw(2) == 1 and "same" or "valid"
  local name = ("odd%02d_%dx%d_%dto%d%s%s"):format(index, kernel[1], kernel[2], inputs, outputs,
    groups > 1 and "_g" .. groups or "", stride > 1 and "_s" .. stride or "")
  return ([[
  - name: %s
    input: [1, %d, %d, %d]
    out_channels: %d
    kernel_size: [%d, %d]
    stride: %d
    padding: %s
    groups: %d]]):format(name, inputs, height, width, outputs, kernel[1], kernel[2], stride, padding, groups)
end

print("# 40 odd shapes, drawn by tools/odd.lua. Do not edit: change the script, draw again.")
print("convsmith: 1\ndefaults:\n  bias: true\n  activation: relu\nlayers:")
for index = 1, COUNT do print(layer(index)) end
