$ import("parts/ring.t")
