$ emit(("x").dump(fail))
