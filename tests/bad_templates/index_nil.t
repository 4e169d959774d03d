$ local rows = {}
int a = ${rows.first.count};
