/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of ipvsadm's listings. */
#include "model/order.h"

#include <arpa/inet.h>

static int addr_order(const union ivb_addr *a, const union ivb_addr *b)
{
	int i, r = 0;

	for (i = 0; i < 4 && !r; i++)
		r = (int)(ntohl(a->ip6[i]) - ntohl(b->ip6[i]));
	return r;
}

int ivb_service_order(const struct ivb_service_key *a, const struct ivb_service_key *b)
{
	int r = a->af - b->af;

	if (!r)
		r = a->proto - b->proto;
	if (!r)
		r = addr_order(&a->addr, &b->addr);
	if (!r)
		r = ntohs(a->port) - ntohs(b->port);
	if (!r)
		r = (a->zone > b->zone) - (a->zone < b->zone);
	return r;
}

int ivb_dest_order(const struct ivb_dest *a, const struct ivb_dest *b)
{
	int r = a->af - b->af;

	if (!r)
		r = addr_order(&a->addr, &b->addr);
	return r ? r : ntohs(a->port) - ntohs(b->port);
}
