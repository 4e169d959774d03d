$ local sum = 0
$ for i = 1, 3 do sum = sum + stride end
