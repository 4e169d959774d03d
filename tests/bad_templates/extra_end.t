int a;
$ end
int b;
