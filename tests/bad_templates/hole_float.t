int half = ${plan.tile / 2};
