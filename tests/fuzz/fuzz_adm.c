/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: lines as `adm -R` reads them, the one text that others write. A line is refused
 * with words and a status, or it is a request that an instance could carry out.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ivb/abi.h>

#include "cli/adm/adm.h"
#include "cli/adm/opts.h"
#include "model/sched.h"
#include "fuzz.h"

#define WORDS_MAX 64

/* The linker puts these in the place of libc's: no name server is asked. */
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **res);
struct servent *__wrap_getservbyname(const char *name, const char *proto);

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **res)
{
	(void)node, (void)service, (void)hints, (void)res;
	return EAI_NONAME;
}

struct servent *__wrap_getservbyname(const char *name, const char *proto)
{
	static struct servent http = { .s_port = 80 << 8 };

	(void)proto;
	return strcmp(name, "http") ? NULL : &http;
}

static void check_request(const struct ivb_adm *adm)
{
	bool dest = adm->cmd == IVB_ADM_ADD_DEST || adm->cmd == IVB_ADM_EDIT_DEST;

	CHECK(adm->cmd < IVB_ADM_MAX_);
	if (adm->has_service) {
		CHECK(adm->key.af == AF_INET || adm->key.af == AF_INET6);
		CHECK(adm->key.proto == IPPROTO_TCP || adm->key.proto == IPPROTO_UDP);
	}
	if (adm->cmd == IVB_ADM_ADD || adm->cmd == IVB_ADM_EDIT)
		CHECK(adm->has_service && adm->key.port);
	if (dest)
		CHECK(adm->has_service && adm->dest_af == adm->key.af &&
		      adm->weight <= IVB_MAX_WEIGHT);
	if (adm->cmd == IVB_ADM_ADD_DEST)
		CHECK(adm->dest_port || !adm->key.port);
}

static void take_line(char *line)
{
	char *words[WORDS_MAX + 1] = { (char *)"adm" }, *save, *word;
	struct ivb_adm_error err = { 0 };
	struct ivb_adm adm;
	int n = 1;

	for (word = strtok_r(line, " \t\r\n", &save); word && n < WORDS_MAX;
	     word = strtok_r(NULL, " \t\r\n", &save))
		words[n++] = word;
	if (ivb_adm_parse(&adm, n, words, &err)) {
		CHECK(err.text[0] && err.status);
		return;
	}
	CHECK(!err.text[0]);
	check_request(&adm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *next = text, *line;

	memcpy(text, data, size);
	text[size] = 0;
	while ((line = strsep(&next, "\n")))
		take_line(line);
	free(text);
	return 0;
}
