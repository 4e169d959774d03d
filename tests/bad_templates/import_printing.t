$ import("parts/printing.lua")
