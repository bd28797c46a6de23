/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which build's programs an instance has. */
#include "dp/load/build_int.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "dp/instance/pin_int.h"
#include "dp/instance/pins_int.h"
#include "objects_hash.h"

const char *ivb_build_own(void)
{
	return IVB_VERSION "-" IVB_OBJECTS_HASH;
}

void ivb_build_get(const struct ivb_dp *dp, char *buf, size_t size)
{
	char path[IVB_PIN_PATH_LEN];
	ssize_t n;

	ivb_pin_path(path, sizeof(path), dp, "build");
	n = readlink(path, buf, size - 1);
	buf[n < 0 ? 0 : n] = 0;
}

bool ivb_build_name_is_own(const char *build)
{
	return !strcmp(build, ivb_build_own());
}

bool ivb_build_is_own(const struct ivb_dp *dp)
{
	char build[IVB_BUILD_LEN];

	ivb_build_get(dp, build, sizeof(build));
	return ivb_build_name_is_own(build);
}

int ivb_build_set(const struct ivb_dp *dp, enum ivb_build_of of, struct ivb_err *err)
{
	char path[IVB_PIN_PATH_LEN];

	ivb_pin_path(path, sizeof(path), dp, "build");
	if (unlink(path) && errno != ENOENT)
		return ivb_err(err, -errno, "cannot remove %s: %m", path);
	if (of == IVB_BUILD_OWN && symlink(ivb_build_own(), path))
		return ivb_err(err, -errno, "cannot make %s: %m", path);
	return 0;
}
