$ return 1
int a;
