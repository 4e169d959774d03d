int a;
$ import("parts/broken.t")
