/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libbpf's messages. Its callback has no argument, hence the one buffer. */
#include "dp/instance/bpflog_int.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"

#define LOG_SIZE 4096
#define LOG_LINES 4

static char log_text[LOG_SIZE]; /* the last that was said */

__attribute__((format(printf, 2, 0))) static int keep(enum libbpf_print_level level,
						      const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;
	size_t have, add;
	int n;

	if (level != LIBBPF_WARN)
		return 0;
	n = vasprintf(&text, fmt, ap);
	if (n < 0) {
		text = NULL;
		return 0;
	}
	/* What comes after the verifier's own words explains nothing. */
	if (strstr(log_text, "-- END PROG LOAD LOG"))
		return 0;
	add = (size_t)n < LOG_SIZE - 1 ? (size_t)n : LOG_SIZE - 1;
	have = strlen(log_text);
	if (have + add >= LOG_SIZE) {
		memmove(log_text, log_text + have - (LOG_SIZE - 1 - add), LOG_SIZE - 1 - add);
		have = LOG_SIZE - 1 - add;
	}
	memcpy(log_text + have, text + (size_t)n - add, add);
	log_text[have + add] = 0;
	return 0;
}

void ivb_bpflog_start(void)
{
	log_text[0] = 0;
	libbpf_set_print(keep);
}

/* The verifier's count of instructions and the frame around its log are no reason. */
static bool is_noise(const char *line)
{
	return !*line || strstr(line, "PROG LOAD LOG") || !strncmp(line, "processed ", 10) ||
	       strstr(line, "failed to load object") || strstr(line, "failed to load BPF skeleton");
}

/* LOCKDOWN_BPF_READ_KERNEL takes the helpers away, and the verifier does not say why. */
static bool is_locked_down(void)
{
	return strstr(log_text, "bpf_probe_read") &&
	       (strstr(log_text, "unknown func") || strstr(log_text, "cannot use helper"));
}

int ivb_bpflog_err(struct ivb_err *err, int r, const char *fmt, ...)
{
	const char *lines[LOG_LINES], *what;
	char *line, *save = NULL;
	size_t n = 0, used = 0;
	char tail[768] = "";
	char head[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(head, sizeof(head), fmt, ap);
	va_end(ap);
	if (is_locked_down())
		return ivb_err(
			err, -EPERM,
			"%s: this kernel is locked down (confidentiality), and lets no BPF program read its memory; "
			"it has to be booted with lockdown=integrity at most",
			head);
	for (line = strtok_r(log_text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (is_noise(line))
			continue;
		if (n == LOG_LINES)
			memmove(lines, lines + 1, sizeof(lines) - sizeof(lines[0]));
		else
			n++;
		lines[n - 1] = line;
	}
	for (size_t i = 0; i < n && used < sizeof(tail); i++) {
		what = lines[i];
		if (!strncmp(what, "libbpf: ", 8))
			what += 8;
		used += (size_t)snprintf(tail + used, sizeof(tail) - used, "%s%s", i ? " | " : ": ",
					 what);
	}
	return ivb_err(err, r, "%s: %s%s", head, strerror(-r), tail);
}
