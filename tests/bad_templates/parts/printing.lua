emit(nil)
