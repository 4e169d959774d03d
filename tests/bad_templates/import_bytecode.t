$ import("parts/bytecode.lua")
