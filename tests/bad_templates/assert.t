$ assert(plan.tile == 5, "the tile is not 5")
