/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BPF's global functions, and the choice between those of the two families. */
#ifndef IVB_LIB_GLOBAL_H
#define IVB_LIB_GLOBAL_H

/*
 * A global function: the verifier goes through it once, by itself. It knows nothing of its callers,
 * and they nothing of what it leaves in memory, which keeps the number of paths small. Pointer
 * arguments must be tested for NULL. There is one for each family, so that the program of one
 * family needs no maps of the other.
 */
#define GLOBAL __noinline

/* Calls the family's function; af is a constant. */
#define BY_AF(af, fn, ...) ((af) == AF_INET ? fn##4(__VA_ARGS__) : fn##6(__VA_ARGS__))

#endif
