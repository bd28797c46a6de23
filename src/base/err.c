/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error sentences that travel beside -errno. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ivb_err(struct ivb_err *e, int r, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->text[0])
		return r;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return r;
}

int ivb_err_prefix(struct ivb_err *e, int r, const char *fmt, ...)
{
	char old[sizeof(e->text)];
	va_list ap;
	size_t n;

	if (!e)
		return r;
	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	if (old[0])
		snprintf(e->text + n, sizeof(e->text) - n, ": %s", old);
	return r;
}
