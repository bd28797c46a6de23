/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of `make BUILD_TEST=1`, ahead of each BPF source: a constant that no program reads, so that the
 * objects are another build's.
 */
const volatile char other_build[] = "another build";
