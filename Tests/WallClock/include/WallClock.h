#ifndef WALLCLOCK_H
#define WALLCLOCK_H

// A library to be loaded before a program's others (LD_PRELOAD): it lets the program's wall clock jump, and leaves alone the
// clocks that count from the start of the machine, and timers.
//
// libfaketime, which does the same and much more, takes every timer that has an absolute time for one of the wall clock
// (0.9.10): under it, the timers of Swift's tasks run out hours late.

// Names the file that holds by how many nanoseconds the clock is wrong: eight bytes, in the order of the machine. A change of
// the file is seen at once.
#define WALL_CLOCK_VARIABLE "WALL_CLOCK_FILE"

#endif
