/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON as the commands print it. */
#include "cli/json.h"

#include <json-c/json.h>
#include <stdio.h>

void ivb_json_print(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void ivb_json_begin(struct ivb_json_list *list, const char *name)
{
	list->begun = true;
	printf("{\n  \"%s\": [", name);
}

void ivb_json_add(struct ivb_json_list *list, struct json_object *o)
{
	printf("%s\n    %s", list->n++ ? "," : "",
	       json_object_to_json_string_ext(o, JSON_C_TO_STRING_SPACED |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void ivb_json_end(const struct ivb_json_list *list, const char *error)
{
	struct json_object *text = error ? json_object_new_string(error) : NULL;

	fputs(list->n ? "\n  ]" : "]", stdout);
	if (error)
		printf(",\n  \"error\": %s", json_object_to_json_string(text));
	puts("\n}");
	json_object_put(text);
}
