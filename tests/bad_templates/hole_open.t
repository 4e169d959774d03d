int a = ${plan.tile;
