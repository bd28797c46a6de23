/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON as the commands print it. */
#ifndef IVB_CLI_JSON_H
#define IVB_CLI_JSON_H

#include <stdbool.h>

struct json_object;

/*
 * An object with one array, printed element by element (ivb_json_add() lets go of it), as there may
 * be millions. An error becomes the object's second member, for what has been printed is begun.
 */
struct ivb_json_list {
	bool begun;
	unsigned long long n;
};
void ivb_json_begin(struct ivb_json_list *list, const char *name);
void ivb_json_add(struct ivb_json_list *list, struct json_object *o);
void ivb_json_end(const struct ivb_json_list *list, const char *error);

/* Prints an object on a line or more, and lets go of it. */
void ivb_json_print(struct json_object *o);

#endif
