$ local lib = import("lib/nowhere.t")
