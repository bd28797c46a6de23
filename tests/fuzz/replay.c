/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over its committed inputs, without libFuzzer: the folder is named after the
 * program, tests/fuzz/corpus/NAME for replay_NAME. Run from the top of the tree.
 */
#include <dirent.h>
#include <errno.h>

#include "fuzz.h"
#include "tap.h"

#define INPUT_MAX 8192

int main(int argc, char **argv)
{
	const char *name = argc > 0 ? strstr(argv[0], "replay_") : NULL;
	struct dirent **list;
	char path[512];
	int n;

	if (!name)
		bail("this program is not called replay_NAME");
	snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", name + strlen("replay_"));
	n = scandir(path, &list, NULL, alphasort);
	if (n < 0)
		bail("%s: %s (run from the top of the tree)", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		static uint8_t input[INPUT_MAX];
		char file[800];
		size_t len;
		FILE *f;

		snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name);
		f = list[i]->d_name[0] == '.' ? NULL : fopen(file, "rb");
		if (f) {
			len = fread(input, 1, sizeof(input), f);
			fclose(f);
			/* a finding ends the program */
			is_int(LLVMFuzzerTestOneInput(input, len), 0, "%s", list[i]->d_name);
		}
		free(list[i]);
	}
	free(list);
	return done_testing();
}
