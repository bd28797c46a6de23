/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

const struct test_case cases_follow[] = { { 0 } };
