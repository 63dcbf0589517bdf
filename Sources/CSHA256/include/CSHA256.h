#ifndef CSHA256_H
#define CSHA256_H

#include <stddef.h>
#include <stdint.h>

// The SHA-256 of `count` bytes, in one call where Nettle has three.
void csha256(const uint8_t *bytes, size_t count, uint8_t digest[32]);

#endif
