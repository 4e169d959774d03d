int a = ${keys};
