$ if plan.chanels > 1 then
int a;
$ end
