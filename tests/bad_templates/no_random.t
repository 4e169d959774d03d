int a = ${math.random(6)};
