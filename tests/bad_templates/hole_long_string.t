int a = ${[[tile]]};
