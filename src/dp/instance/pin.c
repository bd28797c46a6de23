/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pin of the instance's folder, by its name. */
#include "dp/instance/pin_int.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "dp/instance/instance.h"
#include "dp/instance/pins_int.h"

const char *ivb_pin_of(const char *name)
{
	return name + strlen(IVB_NAME_PREFIX);
}

void ivb_pin_path(char *buf, size_t size, const struct ivb_dp *dp, const char *name)
{
	snprintf(buf, size, "%s/%s", dp->path, name);
}

int ivb_pin_get(const struct ivb_dp *dp, const char *name)
{
	char path[IVB_PIN_PATH_LEN];
	int fd;

	ivb_pin_path(path, sizeof(path), dp, name);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

void ivb_pin_remove(const struct ivb_dp *dp, const char *name)
{
	char path[IVB_PIN_PATH_LEN];

	ivb_pin_path(path, sizeof(path), dp, name);
	unlink(path);
}

int ivb_pin_replace(const struct ivb_dp *dp, int fd, const char *name, struct ivb_err *err)
{
	char next[IVB_PIN_PATH_LEN], path[IVB_PIN_PATH_LEN];

	snprintf(next, sizeof(next), "%s/" IVB_PIN_NEXT "%s", dp->path, name);
	ivb_pin_path(path, sizeof(path), dp, name);
	if ((unlink(next) && errno != ENOENT) || bpf_obj_pin(fd, next) || rename(next, path))
		return ivb_err(err, -errno, "cannot pin %s: %m", path);
	return 0;
}
