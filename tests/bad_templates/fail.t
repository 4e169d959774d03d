$ local function tile(n)
$   if n > 3 then fail("a tile of " .. n .. " rows is more than 3") end
$ end
$ tile(4)
