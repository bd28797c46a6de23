/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: the readers of what stands in /proc and of names on bpffs. The first byte
 * chooses one. A name that is understood is the one that we would have given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp/instance/pin_name_int.h"
#include "dp/setup/ports_int.h"
#include "fuzz.h"

static void names(const char *name)
{
	const char *what;
	char own[64];
	__u32 n;

	if (!ivb_pin_name_abi(name, &n)) {
		snprintf(own, sizeof(own), "v%u", n);
		CHECK(!strcmp(own, name));
	}
	if (!ivb_pin_name_zone(name, &n)) {
		snprintf(own, sizeof(own), "prog-%u", n);
		CHECK(!strcmp(own, name));
	}
	if (!ivb_pin_name_dev(name, &n, &what)) {
		snprintf(own, sizeof(own), "%u%s", n, what);
		CHECK(!strcmp(own, name));
	}
}

/* "N" or "LO-HI" with commas: every port of it is there afterwards. */
static void reserved(char *text)
{
	struct ivb_port_set s = { 0 };
	char *copy = strdup(text);
	unsigned int lo;

	if (!ivb_ports_parse_reserved(&s, text) && sscanf(copy, "%u", &lo) == 1 &&
	    strspn(copy, "0123456789") == strlen(copy) && *copy)
		CHECK(lo < 65536 && ivb_port_test(&s, lo));
	free(copy);
}

static void table(char *text, size_t size, bool tcp, bool v6)
{
	struct ivb_config cfg = { 0 };
	struct ivb_port_set s = { 0 };
	FILE *f;

	cfg.num_snat_addrs[v6] = 1;
	f = fmemopen(text, size, "r");
	if (!f)
		return;
	ivb_ports_parse_table(&s, f, tcp, &cfg);
	fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	switch (data[0]) {
	case 'n':
		names(text);
		break;
	case 'r':
		reserved(text);
		break;
	default:
		table(text, size - 1, data[0] & 1, data[0] & 2);
		break;
	}
	free(text);
	return 0;
}
