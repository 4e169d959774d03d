$ for i = 1, 3 do
  $ emit("x")
$ end
