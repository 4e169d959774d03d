/* Which of a file's targets this CPU gets: only code in the same file can ask. */
#include "head.c"
#include <stdio.h>

int main(void) {
  printf("%d\n", head_pick());
  return 0;
}
