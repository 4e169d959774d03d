$ emit(nil)
