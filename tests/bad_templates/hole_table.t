int a = ${plan};
