/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an upgrade copies, by the rows of ivb/maps.def, so that a new map is covered without a line
 * of any test:
 *
 *   taken rows            each map, and how it is taken
 *   taken put DIR         writes an entry into each map of DIR that is to be copied and is empty, and
 *                         prints all entries of those maps (of arrays what is not 0)
 *   taken find DIR FILE   how many of these entries each map of DIR has; a value may be longer or
 *                         shorter at its end
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ivb/abi.h>

#define ENTRY_MAX 65536

static const struct row {
	const char *name, *taken;
} rows[] = {
#define IVB_OWN_MAP(name, type, key, value, entries, flags, family, taken) { #name, #taken },
#define IVB_MAP(id, ...) IVB_OWN_MAP(__VA_ARGS__)
#include <ivb/maps.def>
};

#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

struct map {
	int fd;
	struct bpf_map_info info;
};

static void die(const char *what, const char *name)
{
	fprintf(stderr, "taken: %s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

static struct map map_open(const char *dir, const char *name)
{
	struct map m = { 0 };
	__u32 len = sizeof(m.info);
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	m.fd = bpf_obj_get(path);
	if (m.fd < 0 || bpf_obj_get_info_by_fd(m.fd, &m.info, &len))
		die("opening", path);
	if (m.info.key_size > ENTRY_MAX || m.info.value_size > ENTRY_MAX)
		die("too large is", path);
	return m;
}

static bool is_copied(const struct row *row)
{
	return !strcmp(row->taken, "SET") || !strcmp(row->taken, "MOVING");
}

static bool is_zero(const char *p, size_t n)
{
	return !*p && !memcmp(p, p + 1, n - 1);
}

static void print_bytes(const char *p, size_t n)
{
	size_t i;

	putchar(' ');
	for (i = 0; i < n; i++)
		printf("%02x", (unsigned char)p[i]);
}

/* Calls of bpf(2) for each element of an array, of which the largest has two million. */
static unsigned int print_entries(const struct row *row, const struct map *m)
{
	static char key[ENTRY_MAX], next[ENTRY_MAX], value[ENTRY_MAX];
	unsigned int n = 0;
	bool first = true;

	while (!bpf_map_get_next_key(m->fd, first ? NULL : key, next)) {
		first = false;
		memcpy(key, next, m->info.key_size);
		if (bpf_map_lookup_elem(m->fd, key, value) ||
		    (m->info.type == BPF_MAP_TYPE_ARRAY && is_zero(value, m->info.value_size)))
			continue;
		printf("%s", row->name);
		print_bytes(key, m->info.key_size);
		print_bytes(value, m->info.value_size);
		putchar('\n');
		n++;
	}
	return n;
}

/* The last one of an array; in a trie the longest prefix. */
static void put(const struct row *row, const struct map *m)
{
	static char key[ENTRY_MAX], value[ENTRY_MAX];
	__u32 last = m->info.max_entries - 1, bits = 8 * (m->info.key_size - 4);

	memset(key, 0x5a, sizeof(key));
	memset(value, 0xa5, sizeof(value));
	if (m->info.type == BPF_MAP_TYPE_ARRAY)
		memcpy(key, &last, sizeof(last));
	else if (m->info.type == BPF_MAP_TYPE_LPM_TRIE)
		memcpy(key, &bits, sizeof(bits));
	if (bpf_map_update_elem(m->fd, key, value, BPF_ANY))
		die("writing to", row->name);
}

static void put_all(const char *dir)
{
	size_t i;

	for (i = 0; i < NUM_ROWS; i++) {
		struct map m;

		if (!is_copied(&rows[i]))
			continue;
		m = map_open(dir, rows[i].name);
		if (!print_entries(&rows[i], &m)) {
			put(&rows[i], &m);
			if (!print_entries(&rows[i], &m))
				die("nothing is in", rows[i].name);
		}
	}
}

static size_t get_bytes(const char *hex, char *bytes)
{
	size_t n = 0;
	unsigned int byte;

	while (sscanf(hex + 2 * n, "%2x", &byte) == 1)
		bytes[n++] = (char)byte;
	return n;
}

static bool find(const struct map *m, const char *key_hex, const char *value_hex)
{
	static char key[ENTRY_MAX], want[ENTRY_MAX], got[ENTRY_MAX];
	size_t len;

	if (get_bytes(key_hex, key) != m->info.key_size)
		return false;
	len = get_bytes(value_hex, want);
	if (len > m->info.value_size)
		len = m->info.value_size;
	return !bpf_map_lookup_elem(m->fd, key, got) && !memcmp(want, got, len);
}

static void find_row(const char *dir, const struct row *row, FILE *f)
{
	static char line[5 * ENTRY_MAX], name[64], key[2 * ENTRY_MAX + 1], value[2 * ENTRY_MAX + 1];
	struct map m = map_open(dir, row->name);
	unsigned int n = 0, found = 0;

	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %131072s %131072s", name, key, value) != 3 ||
		    strcmp(name, row->name))
			continue;
		n++;
		found += find(&m, key, value);
	}
	printf("%s %u of %u\n", row->name, found, n);
}

static void find_all(const char *dir, const char *file)
{
	FILE *f = fopen(file, "re");
	size_t i;

	if (!f)
		die("opening", file);
	for (i = 0; i < NUM_ROWS; i++) {
		if (is_copied(&rows[i]))
			find_row(dir, &rows[i], f);
	}
	fclose(f);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "rows")) {
		for (i = 0; i < NUM_ROWS; i++)
			printf("%s %s\n", rows[i].name, rows[i].taken);
	} else if (argc == 3 && !strcmp(argv[1], "put")) {
		put_all(argv[2]);
	} else if (argc == 4 && !strcmp(argv[1], "find")) {
		find_all(argv[2], argv[3]);
	} else {
		return fprintf(stderr, "taken: see the head of taken.c\n"), 2;
	}
	return 0;
}
