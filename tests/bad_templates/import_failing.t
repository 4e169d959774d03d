$ local part = import("parts/failing.lua")
int a = ${part.twice(plan.bias)};
