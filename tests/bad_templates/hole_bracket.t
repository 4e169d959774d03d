int a = ${plan.tile)};
