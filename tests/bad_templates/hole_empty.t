int a = ${};
