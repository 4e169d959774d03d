int a = ${plan.tile -- rows};
