/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libbpf's messages: kept, not printed; the end of them explains a failure. Internal to dp. */
#ifndef IVB_DP_INSTANCE_BPFLOG_INT_H
#define IVB_DP_INSTANCE_BPFLOG_INT_H

struct ivb_err;

/* Forgets what was said, and listens from now on. */
void ivb_bpflog_start(void);

/*
 * Sets err to the sentence of fmt and ": " and the last lines of the verifier or of libbpf. Returns
 * r.
 */
int ivb_bpflog_err(struct ivb_err *err, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
