/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libFuzzer, or replay.c in its place, calls for each input. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
