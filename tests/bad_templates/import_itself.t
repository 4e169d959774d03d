int a;
$ import("import_itself.t")
