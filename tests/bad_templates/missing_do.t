$ for i = 1, 3
int a${i};
$ end
