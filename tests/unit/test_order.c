/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of listings, as ipvsadm 1.31 printed it, and the names in them. */
#include <arpa/inet.h>
#include <errno.h>

#include "base/addr.h"
#include "model/names.h"
#include "model/order.h"
#include "tap.h"

static struct ivb_service_key key(__u8 proto, const char *addrport)
{
	struct ivb_service_key k = { .proto = proto };
	bool has_port;

	if (ivb_addrport_parse(addrport, &k.af, &k.addr, &k.port, &has_port))
		bail("'%s' is no address and port", addrport);
	return k;
}

static void test_services(void)
{
	const struct ivb_service_key sorted[] = {
		key(6, "224.0.0.1:80"), key(6, "0.0.0.0:80"),	key(6, "10.9.0.9:80"),
		key(6, "10.9.9.9:80"),	key(6, "10.9.9.9:443"), key(17, "10.9.9.9:53"),
		key(6, "[fd00::9]:80"), key(6, "[fd00::a]:80"), key(17, "[fd00::9]:53"),
	};
	size_t n = sizeof(sorted) / sizeof(sorted[0]), i;
	struct ivb_service_key zoned = sorted[4];

	for (i = 0; i + 1 < n; i++) {
		ok(ivb_service_order(&sorted[i], &sorted[i + 1]) < 0,
		   "service %zu comes before the next", i);
		ok(ivb_service_order(&sorted[i + 1], &sorted[i]) > 0,
		   "and not the other way round");
	}
	is_int(ivb_service_order(&sorted[3], &sorted[3]), 0, "a service and itself");
	zoned.zone = 1;
	ok(ivb_service_order(&sorted[4], &zoned) < 0, "zones come last");
}

static void test_dests(void)
{
	static const char *const sorted[] = { "10.0.0.1:80", "10.0.1.2:80", "10.0.1.2:8080",
					      "10.0.1.5:0", "127.0.0.1:80" };
	struct ivb_dest a = {}, b = {};
	bool has_port;
	size_t i;

	for (i = 0; i + 1 < sizeof(sorted) / sizeof(sorted[0]); i++) {
		ivb_addrport_parse(sorted[i], &a.af, &a.addr, &a.port, &has_port);
		ivb_addrport_parse(sorted[i + 1], &b.af, &b.addr, &b.port, &has_port);
		ok(ivb_dest_order(&a, &b) < 0 && ivb_dest_order(&b, &a) > 0, "%s comes before %s",
		   sorted[i], sorted[i + 1]);
	}
}

static void test_names(void)
{
	const char *alien = "mh-port";
	__u8 v = 77, wrong = 0, i;
	__u16 flags;

	is_str(ivb_scheduler_name(IVB_SCHED_WRR), "wrr", "a scheduler's name");
	is_str(ivb_scheduler_name(99), "?", "of no scheduler");
	is_int(ivb_scheduler_by_name(&v, "lblcx"), -ENOENT, "none of the kernel's");
	is_int(ivb_scheduler_by_name(&v, ""), -ENOENT, "no name");
	is_int(ivb_scheduler_by_name(&v, "RR"), -ENOENT, "names are lower case");
	is_int(v, 77, "nothing written");
	is_int(ivb_scheduler_by_name(&v, "rr"), 0, "rr");
	is_int(v, IVB_SCHED_RR, "is rr");
	for (i = 0; i < IVB_SCHED_MAX_; i++)
		wrong += ivb_scheduler_by_name(&v, ivb_scheduler_name(i)) || v != i;
	is_int(wrong, 0, "each is found by its name");
	is_int(ivb_sched_flags_by_names(&flags, IVB_SCHED_SH, &alien), -EXDEV,
	       "a flag of another scheduler's");
	is_int(ivb_snat_by_name(&v, "default"), -EINVAL, "default is not to be written");
	is_int(ivb_snat_by_name(&v, "auto"), 0, "auto");
	is_str(ivb_snat_name(v), "auto", "is auto");
	is_str(ivb_proto_name(6), "TCP", "TCP");
	is_str(ivb_proto_name(17), "UDP", "UDP");
}

int main(void)
{
	test_services();
	test_dests();
	test_names();
	return done_testing();
}
