int a = ${plan.bias};
