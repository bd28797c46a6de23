/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way into the programs, and what they leave in the sk_buff; see enter.bpf.c. */
#include "env.h"

#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "engine_ipvs/note_types.h"
#include "tap.h"
#include "enter.skel.h"
#include "tc.skel.h"

#define TAG_COPY 0x1b51 /* what the program calls IVB_TAG_COPY */

static void real_program(struct enter_bpf *e, uint32_t which, const struct bpf_program *prog)
{
	int fd = bpf_program__fd(prog);

	if (bpf_map__update_elem(e->maps.real, &which, sizeof(which), &fd, sizeof(fd), BPF_ANY))
		bail("%s: %s", bpf_program__name(prog), strerror(errno));
}

void enter_open(struct env *t)
{
	struct enter_bpf *e = enter_bpf__open();
	int r = -errno;

	if (e)
		r = bpf_map__reuse_fd(e->maps.notes, bpf_map__fd(t->skel->maps.notes));
	if (!r)
		r = enter_bpf__load(e);
	if (r)
		bail("the way into the programs does not load: %s", strerror(-r));
	real_program(e, ENTER_INGRESS, t->skel->progs.tc_ingress);
	real_program(e, ENTER_EGRESS, t->skel->progs.tc_egress);
	r = enter_bpf__attach(e);
	if (r)
		bail("the kernel's tracepoints cannot be attached to: %s", strerror(-r));
	t->enter = e;
}

void enter_close(struct env *t)
{
	enter_bpf__destroy(t->enter);
}

int enter_prepare(struct env *t)
{
	memset(&t->enter->bss->enter_seen, 0, sizeof(t->enter->bss->enter_seen));
	t->enter->bss->enter_how = t->how;
	return bpf_program__fd(t->enter->progs.enter);
}

int enter_noted(struct env *t)
{
	return bpf_program__fd(t->enter->progs.enter_noted);
}

void enter_give(struct env *t, uint32_t which, const struct note *note)
{
	struct bpf_map *given = t->enter->maps.given;

	if (bpf_map__update_elem(given, &which, sizeof(which), note, sizeof(*note), BPF_ANY))
		bail("the note %u: %s", which, strerror(errno));
}

const struct enter_seen *enter_seen(struct env *t)
{
	return &t->enter->bss->enter_seen;
}

void enter_compare_copy(struct env *t, const char *func, int line, const struct pkt_spec *copy)
{
	const struct enter_seen *seen = enter_seen(t);
	static struct pkt frame;
	size_t len;

	if (seen->copies != !!copy)
		fail(t, func, line, "%u copies for kernel IPVS, expected %d", seen->copies, !!copy);
	if (!seen->copies || !copy)
		return;
	pkt_build(&frame, copy);
	len = frame.len - PKT_ETH_LEN;
	if (seen->copy_mark != TAG_COPY)
		fail(t, func, line, "a copy marked %#x", seen->copy_mark);
	if (seen->copy_len != len || memcmp(seen->copy, frame.data + PKT_ETH_LEN,
					    len < ENTER_COPY_MAX ? len : ENTER_COPY_MAX))
		fail(t, func, line, "the copy is another packet");
}
