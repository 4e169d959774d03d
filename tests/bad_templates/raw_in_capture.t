$ capture(function() emit_raw("x") end)
