/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What adm -L prints, and the names in it. */
#ifndef IVB_CLI_ADM_LIST_H
#define IVB_CLI_ADM_LIST_H

#include "cli/adm/adm.h"
#include "dp/services/list.h"

struct ivb_dp;
struct ivb_err;

/* A service and its servers. */
struct ivb_adm_entry {
	struct ivb_service_info info;
	struct ivb_dest_info *dests;
	size_t num_dests;
};

struct ivb_adm_table {
	struct ivb_adm_entry *entries;
	size_t num;
};

/*
 * All services, or only the one that the request names (-ESRCH: there is none), in the order in
 * which they are to be printed. The caller calls ivb_adm_list_fini().
 */
int ivb_adm_list_load(struct ivb_adm_table *ret, struct ivb_dp *dp, const struct ivb_adm *adm,
		      struct ivb_err *err);
void ivb_adm_list_fini(struct ivb_adm_table *table);

/* The lines above a listing of services. */
void ivb_adm_list_print_title(const struct ivb_adm *adm, __u32 max_conns);
void ivb_adm_list_print(const struct ivb_adm_table *table, const struct ivb_adm *adm,
			__u32 max_conns);
/* -S */
void ivb_adm_rules_print(const struct ivb_adm_table *table, const struct ivb_adm *adm);
/* -L --stats; --rate takes a second and opens the instance by itself. */
int ivb_adm_stats_print(struct ivb_dp *dp, const struct ivb_adm *adm, struct ivb_err *err);
int ivb_adm_stats_print_rate(const char *instance, const struct ivb_adm *adm, struct ivb_err *err);
int ivb_adm_list_print_conns(struct ivb_dp *dp, const struct ivb_adm *adm, struct ivb_err *err);

int ivb_adm_json_table(struct ivb_dp *dp, const struct ivb_adm_table *table, struct ivb_err *err);
int ivb_adm_json_conns(struct ivb_dp *dp, struct ivb_err *err);

#define IVB_ADM_NAME_LEN 1100 /* length of "[host]:port" */

/* address:port, by names where there are some unless numeric. Returns buf. */
char *ivb_adm_list_name(char *buf, size_t size, __u8 af, const union ivb_addr *addr, __be16 port,
			__u8 proto, bool numeric);
/* The same of a server, cut as ipvsadm does. */
char *ivb_adm_list_dest_name(char *buf, size_t size, const struct ivb_dest_info *d, bool numeric);

#endif
