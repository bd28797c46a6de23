/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the programs that are run once. */
#include "dp/load/prog_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/pin_int.h"

int ivb_prog_run(int fd, struct ivb_err *err, const char *what)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(fd, &opts))
		return ivb_err(err, -errno, "cannot run the BPF program %s: %m", what);
	return (int)opts.retval;
}

/* bpf_timer_init allocates without waiting, so it may fail and succeed the next time (6.18). */
int ivb_prog_arm(int fd, int *ret_no_timer, struct ivb_err *err, const char *what)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000000L };
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int tries;

	for (tries = 0; tries < 50; tries++) {
		if (bpf_prog_test_run_opts(fd, &opts))
			return ivb_err(err, -errno, "cannot run the BPF program %s: %m", what);
		if ((int)opts.retval != -ENOMEM)
			break;
		nanosleep(&pause, NULL);
	}
	if (opts.retval)
		*ret_no_timer = (int)opts.retval;
	return 0;
}

int ivb_prog_arm_all(struct ivb_dp *dp, struct ivb_err *err)
{
	static const char *const names[] = { "arm4", "arm6" };
	int r, i;

	for (i = 0; i < 2; i++) {
		_cleanup_close_ int fd = ivb_pin_get(dp, names[i]);

		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return ivb_err(err, fd, "cannot open the pin %s/%s: %s", dp->path, names[i],
				       strerror(-fd));
		r = ivb_prog_arm(fd, &dp->no_timer, err, names[i]);
		if (r)
			return r;
	}
	return 0;
}
