$ local lib = {}
int a;
$ lib.emit_row(1)
