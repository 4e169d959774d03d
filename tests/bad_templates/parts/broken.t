int b;
$ if b
