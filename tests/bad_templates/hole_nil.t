/* An element beyond the end of a list is nil. */
int a = ${plan.list[1]}, b = ${plan.list[3]};
