/* This machine, in words. */
#ifndef GEN_MACHINE_H
#define GEN_MACHINE_H

/* The processor's model as it calls itself, printable ASCII; where it has no name for itself, the architecture. */
const char *machine_name(void);
#endif
