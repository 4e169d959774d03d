$ local function tile(n)
$   if n > 3 then error("a tile of " .. n .. " rows is more than 3", 2) end
$ end
$ tile(4)
