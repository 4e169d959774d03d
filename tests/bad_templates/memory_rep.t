int a;
$ local bomb = ("x"):rep(1 << 30)
