/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How libraries explain a failure without printing: the function that knows most writes one
 * sentence (what was tried, on what, why, what to do) and returns -errno; the command prints it.
 */
#ifndef IVB_BASE_ERR_H
#define IVB_BASE_ERR_H

struct ivb_err {
	char text[1024]; /* empty, or a sentence without a full stop and newline */
};

/*
 * Writes the text unless one is there already (the first, innermost, wins). Returns r. e may be
 * NULL.
 */
int ivb_err(struct ivb_err *e, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts the text of fmt and ": " before what is there. Returns r. */
int ivb_err_prefix(struct ivb_err *e, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
