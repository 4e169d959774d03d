$ for k in pairs(plan) do emit(k) end
