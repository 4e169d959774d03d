$ plan.tile = 5
