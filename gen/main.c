/* The program. */
#include "command.h"
#include "mem.h"

int main(int argc, char **argv) {
  int status = command_main(argc, argv);
  mem_release(0);
  return status;
}
