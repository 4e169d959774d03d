$ pcall(fail, "nothing catches this")
