/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables that free what they own when they leave their block. */
#ifndef IVB_BASE_CLEANUP_H
#define IVB_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define __cleanup(fn) __attribute__((cleanup(fn)))

static inline void ivb_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void ivb_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void ivb_cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* A file descriptor starts at -1, a pointer at NULL. */
#define _cleanup_free_ __cleanup(ivb_cleanup_free)
#define _cleanup_close_ __cleanup(ivb_cleanup_close)
#define _cleanup_fclose_ __cleanup(ivb_cleanup_fclose)

/* Gives the value away: the variable no longer owns it. */
#define TAKE_PTR(p)                     \
	({                              \
		__typeof__(p) p_ = (p); \
		(p) = NULL;             \
		p_;                     \
	})
#define TAKE_FD(fd)             \
	({                      \
		int fd_ = (fd); \
		(fd) = -1;      \
		fd_;            \
	})

#endif
