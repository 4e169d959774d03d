$ local line = ("x"):rep(1000000)
$ while true do
${line}
$ end
