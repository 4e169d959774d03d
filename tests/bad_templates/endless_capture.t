$ local function f() capture(f) end
$ f()
