$ import("import_ring.t")
