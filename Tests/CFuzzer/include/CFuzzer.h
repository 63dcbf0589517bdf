#ifndef CFUZZER_H
#define CFUZZER_H

#include <stddef.h>
#include <stdint.h>

// libFuzzer's loop, for a program that has a main of its own.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*callback)(const uint8_t *bytes, size_t size));

// libFuzzer's own way to change an input, for a program that has one of its own beside it.
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t maximum);

#endif
