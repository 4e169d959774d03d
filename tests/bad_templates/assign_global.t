$ tile = 4
