$ import("../test_engine.c")
