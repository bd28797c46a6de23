/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TAP (Test Anything Protocol) for the C tests, header only.
 * Every check prints one line; done_testing() prints the plan and is main()'s return value.
 */
#ifndef TESTS_LIB_TAP_H
#define TESTS_LIB_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAP_PRINTF(n) __attribute__((unused, format(printf, n, (n) + 1)))

/* Counted once a process, however many files include this. */
__attribute__((weak)) int tap_run, tap_failed;

/* A comment; every line of the text gets its own '#'. */
static TAP_PRINTF(1) void diag(const char *fmt, ...)
{
	static char text[1 << 16];
	char *line = text, *next;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while ((next = strchr(line, '\n'))) {
		printf("# %.*s\n", (int)(next - line), line);
		line = next + 1;
	}
	if (*line)
		printf("# %s\n", line);
	fflush(stdout);
}

#define TAP_VPRINT(fmt)            \
	do {                       \
		va_list ap;        \
		va_start(ap, fmt); \
		vprintf(fmt, ap);  \
		va_end(ap);        \
		putchar('\n');     \
		fflush(stdout);    \
	} while (0)

/* Give up: nothing after this makes sense. */
static TAP_PRINTF(1) __attribute__((noreturn)) void bail(const char *fmt, ...)
{
	printf("Bail out! ");
	TAP_VPRINT(fmt);
	exit(255);
}

/* A check that cannot be made here, and why. */
static TAP_PRINTF(1) void skip(const char *fmt, ...)
{
	printf("ok %d # SKIP ", ++tap_run);
	TAP_VPRINT(fmt);
}

static TAP_PRINTF(2) bool ok(bool cond, const char *fmt, ...)
{
	tap_failed += !cond;
	printf("%sok %d - ", cond ? "" : "not ", ++tap_run);
	TAP_VPRINT(fmt);
	return cond;
}

#define is_int(got, want, ...)                                                        \
	({                                                                            \
		long long got_ = (got), want_ = (want);                               \
		ok(got_ == want_, __VA_ARGS__) ||                                     \
			(diag("     got: %lld\nexpected: %lld", got_, want_), false); \
	})

/* NULL equals NULL only. */
#define is_str(got, want, ...)                                                               \
	({                                                                                   \
		const char *got_ = (got), *want_ = (want);                                   \
		ok(got_ == want_ || (got_ && want_ && !strcmp(got_, want_)), __VA_ARGS__) || \
			(diag("     got: %s\nexpected: %s", got_ ? got_ : "(null)",          \
			      want_ ? want_ : "(null)"),                                     \
			 false);                                                             \
	})

static __attribute__((unused)) int done_testing(void)
{
	printf("1..%d\n", tap_run);
	if (tap_failed)
		diag("%d of %d failed", tap_failed, tap_run);
	return tap_failed || !tap_run;
}

#endif
