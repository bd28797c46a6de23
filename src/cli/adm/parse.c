/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipvsadm's command line to a request, with ipvsadm's words and statuses for what is wrong with it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <string.h>

#include "base/addr.h"
#include "base/num.h"
#include "cli/adm/opts.h"
#include "cli/cli.h"
#include "dp/instance/limits.h"
#include "model/names.h"
#include "model/sched.h"

#define TIMEOUT_MAX (31 * 86400) /* ipvsadm's */
#define DEFAULT_SCHEDULER "wlc"	 /* ipvsadm's */

/* What the walk has found. */
struct parser {
	struct ivb_adm *adm;
	struct ivb_adm_error *err;
	struct ivb_adm_words words;
	__u32 given; /* a bit for each enum ivb_adm_opt */
	const char *scheduler, *sched_flags;
	bool dest_has_port;
	const char *program;
	const struct ivb_adm_option *later; /* the first one that is a later version's */
	const char *later_word;
};

static int host_parse(const char *host, __u8 *ret_af, union ivb_addr *ret)
{
	const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;

	if (!ivb_addr_parse(AF_INET, host, ret_af, ret))
		return 0;
	/*
	 * Not a name: neither a name server nor inet_aton() ("10.1" for 10.0.0.1) has a say in it.
	 */
	if (!*host || strpbrk(host, ":/[] \t\n") || strspn(host, "0123456789.") == strlen(host))
		return -EINVAL;
	if (getaddrinfo(host, NULL, &hints, &ai))
		return -EINVAL;
	*ret_af = AF_INET;
	*ret = (union ivb_addr){
		.ip = ((struct sockaddr_in *)(void *)ai->ai_addr)->sin_addr.s_addr
	};
	freeaddrinfo(ai);
	return 0;
}

static int port_parse(const char *s, __u8 proto, __be16 *ret)
{
	const struct servent *se;
	__u16 port;
	int r;

	r = ivb_num_u16_parse(&port, s, 0, 65535);
	if (!r)
		*ret = htons(port);
	if (r != -EINVAL || !*s)
		return r;
	se = getservbyname(s, proto == IPPROTO_UDP ? "udp" : "tcp");
	if (!se)
		return -EINVAL;
	*ret = (__be16)se->s_port;
	return 0;
}

/*
 * HOST[:PORT], [IPV6]:PORT or an IPv6 address alone, as ipvsadm takes it: names of hosts (IPv4) and
 * of the protocol's ports too. -EINVAL.
 */
static int address_parse(const char *s, __u8 proto, __u8 *ret_af, union ivb_addr *ret,
			 __be16 *ret_port, bool *ret_has_port)
{
	const char *colon = strrchr(s, ':');
	char host[NI_MAXHOST];
	__be16 port = 0;
	size_t len;

	if (s[0] != '[' && !ivb_addr_parse(AF_INET6, s, ret_af, ret)) {
		colon = NULL;
	} else {
		len = colon ? (size_t)(colon - s) : strlen(s);
		if (len >= sizeof(host) || (colon && port_parse(colon + 1, proto, &port)))
			return -EINVAL;
		memcpy(host, s, len);
		host[len] = '\0';
		/* ipvsadm takes brackets only with a port behind them. */
		if (s[0] == '[' ? !colon || ivb_addr_parse(AF_INET6, host, ret_af, ret)
				: host_parse(host, ret_af, ret))
			return -EINVAL;
	}
	*ret_port = port;
	*ret_has_port = colon;
	return 0;
}

static int service_option(struct parser *p, const struct ivb_adm_option *o)
{
	struct ivb_service_key *key = &p->adm->key;
	bool has_port;

	p->adm->has_service = true;
	key->proto = o->letter == 'u' ? IPPROTO_UDP : IPPROTO_TCP;
	if (address_parse(p->words.value, key->proto, &key->af, &key->addr, &key->port, &has_port))
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "illegal virtual server address[:port] specified");
	return 0;
}

static int server_option(struct parser *p)
{
	struct ivb_adm *adm = p->adm;

	if (address_parse(p->words.value, adm->key.proto, &adm->dest_af, &adm->dest_addr,
			  &adm->dest_port, &p->dest_has_port))
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "illegal real server address[:port] specified");
	return 0;
}

static int option_take(struct parser *p, const struct ivb_adm_option *o)
{
	struct ivb_adm *adm = p->adm;
	const char *value = p->words.value;

	switch (o->opt) {
	case IVB_OPT_SERVICE:
		return service_option(p, o);
	case IVB_OPT_SERVER:
		return server_option(p);
	case IVB_OPT_SCHEDULER:
		p->scheduler = value;
		break;
	case IVB_OPT_WEIGHT:
		if (ivb_num_u32_parse(&adm->weight, value, 0, IVB_MAX_WEIGHT))
			return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
						   "illegal weight specified");
		break;
	case IVB_OPT_UTHRESHOLD:
		if (ivb_num_u32_parse(&adm->upper, value, 0, INT_MAX))
			return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
						   "illegal u_threshold specified");
		break;
	case IVB_OPT_LTHRESHOLD:
		if (ivb_num_u32_parse(&adm->lower, value, 0, INT_MAX))
			return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
						   "illegal l_threshold specified");
		break;
	case IVB_OPT_SCHED_FLAGS:
		p->sched_flags = value;
		break;
	case IVB_OPT_SNAT:
		if (ivb_snat_by_name(&adm->snat, value))
			return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
						   "illegal SNAT policy specified: it is never, "
						   "auto or always");
		break;
	case IVB_OPT_ZONE:
		if (ivb_num_u32_parse(&adm->key.zone, value, 0, IVB_ZONE_MAX))
			return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
						   "illegal zone specified: it is a number up "
						   "to %u",
						   IVB_ZONE_MAX);
		break;
	case IVB_OPT_NUMERIC:
		adm->numeric = true;
		break;
	case IVB_OPT_EXACT:
		adm->exact = true;
		break;
	case IVB_OPT_NOSORT:
		adm->nosort = true;
		break;
	default: /* masquerading, sort: nothing to remember; what -L lists: list_take() */
		break;
	}
	return 0;
}

static int option_seen(struct parser *p, const struct ivb_adm_option *o)
{
	__u32 bit;

	if (o->opt == IVB_OPT_CMD)
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE, "invalid option `%s'",
					   p->words.word);
	bit = 1u << o->opt;
	if (p->given & bit && o->opt != IVB_OPT_SORT && o->opt != IVB_OPT_TUN)
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "multiple '%s' options specified",
					   ivb_adm_opt_name(o->opt));
	p->given |= bit;
	if (!o->later)
		return option_take(p, o);
	if (!p->later) {
		p->later = o;
		p->later_word = p->words.word;
	}
	return 0;
}

static int tryhelp(struct parser *p)
{
	return ivb_adm_opts_refuse(p->err, IVB_EXIT_ADM,
				   "Try `%s -h' or '%s --help' for more information.", p->program,
				   p->program);
}

static int command_parse(struct parser *p)
{
	const struct ivb_adm_option *o;

	if (ivb_adm_opts_next(&p->words, &o) || !o || o->opt != IVB_OPT_CMD)
		return tryhelp(p);
	if (o->later)
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "%s: %s comes with a later version of ipvs-bpf",
					   p->words.word, o->later);
	p->adm->cmd = o->cmd;
	return 0;
}

/* The arguments of --set: 0 leaves a timeout as it is. */
static int timeouts_take(struct parser *p)
{
	int i;

	if (p->words.num_leftovers < IVB_ADM_TIMEOUTS)
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "--set option requires 3 timeout values");
	for (i = 0; i < IVB_ADM_TIMEOUTS; i++) {
		if (ivb_num_u32_parse(&p->adm->timeouts[i], p->words.leftovers[i], 0, TIMEOUT_MAX))
			return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
						   "invalid timeout value `%s' specified",
						   p->words.leftovers[i]);
	}
	return 0;
}

/* In the order in which ipvsadm looks at them. */
static enum ivb_adm_list list_take(__u32 given)
{
	static const struct {
		enum ivb_adm_opt opt;
		enum ivb_adm_list list;
	} lists[] = {
		{ IVB_OPT_CONNECTION, IVB_ADM_LIST_CONNS },
		{ IVB_OPT_TIMEOUT, IVB_ADM_LIST_TIMEOUTS },
		{ IVB_OPT_DAEMON, IVB_ADM_LIST_DAEMON },
		{ IVB_OPT_STATS, IVB_ADM_LIST_STATS },
		{ IVB_OPT_RATE, IVB_ADM_LIST_RATE },
		{ IVB_OPT_THRESHOLDS, IVB_ADM_LIST_THRESHOLDS },
		{ IVB_OPT_PERSISTENTCONN, IVB_ADM_LIST_PERSISTENT },
	};
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (given & 1u << lists[i].opt)
			return lists[i].list;
	}
	return IVB_ADM_LIST_SERVICES;
}

static int options_parse(struct parser *p)
{
	const struct ivb_adm_option *o;
	int words, r;

	for (;;) {
		r = ivb_adm_opts_next(&p->words, &o);
		if (r)
			return ivb_adm_opts_refuse(p->err, IVB_EXIT_ADM, "%s: %s", p->words.word,
						   r == -ENODATA ? "missing argument"
						   : r == -E2BIG
							   ? "option does not take an argument"
							   : "unknown option");
		if (!o)
			break;
		r = option_seen(p, o);
		if (r)
			return r;
	}
	words = p->adm->cmd == IVB_ADM_SET ? IVB_ADM_TIMEOUTS : 0;
	r = words ? timeouts_take(p) : 0;
	if (!r && p->words.num_leftovers > words)
		r = ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE, "unexpected argument %s",
					p->words.leftovers[words]);
	return r;
}

/* Everything that ipvsadm can do and we cannot yet. */
static int later_check(struct parser *p)
{
	const __u32 list_what =
		1u << IVB_OPT_CONNECTION | 1u << IVB_OPT_TIMEOUT | 1u << IVB_OPT_DAEMON;
	__u32 list_how = 1u << IVB_OPT_STATS | 1u << IVB_OPT_RATE | 1u << IVB_OPT_THRESHOLDS |
			 1u << IVB_OPT_PERSISTENTCONN | 1u << IVB_OPT_TUN;
	enum ivb_adm_cmd cmd = p->adm->cmd;

	/* connections with what a persistence engine knows of them */
	if (p->given & 1u << IVB_OPT_CONNECTION)
		list_how &= ~(1u << IVB_OPT_PERSISTENTCONN);
	if (cmd == IVB_ADM_LIST && p->given & list_what && p->given & list_how)
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "options conflicts in the list command");
	if (p->later && p->later->opt == IVB_OPT_FORWARD)
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "%s: %s comes with a later version of ipvs-bpf; say "
					   "-m (masquerading)",
					   p->later_word, p->later->later);
	if (p->later)
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "%s: %s comes with a later version of ipvs-bpf",
					   p->later_word, p->later->later);
	if ((cmd == IVB_ADM_ADD_DEST || cmd == IVB_ADM_EDIT_DEST) &&
	    !(p->given & 1u << IVB_OPT_FORWARD))
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "direct routing (-g, which is meant without -m) comes "
					   "with a later version of ipvs-bpf; say -m "
					   "(masquerading)");
	return 0;
}

static void scheduler_take(struct parser *p)
{
	bool given = p->scheduler && *p->scheduler;
	const char *name = given ? p->scheduler : DEFAULT_SCHEDULER;
	__u8 scheduler = IVB_SCHED_MAX_;

	/*
	 * A name that nobody has is found out later: ipvsadm tells first whether the service
	 * exists.
	 */
	(void)ivb_scheduler_by_name(&scheduler, name);
	p->adm->scheduler = scheduler;
}

/* They have to fit the scheduler that was given; ipvsadm looks at them before anything else. */
static int sched_flags_take(struct parser *p, const char *value)
{
	__u8 scheduler = IVB_SCHED_MAX_;
	int r;

	if (p->scheduler)
		ivb_scheduler_by_name(&scheduler, p->scheduler);
	r = ivb_sched_flags_by_names(&p->adm->sched_flags, scheduler, &value);
	return r ? ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE, "%s scheduler flag `%.*s'",
				       r == -EXDEV ? "incompatible" : "invalid",
				       (int)strcspn(value, ","), value)
		 : 0;
}

static int request_check(struct parser *p)
{
	struct ivb_adm *adm = p->adm;
	int r;

	r = p->sched_flags ? sched_flags_take(p, p->sched_flags) : 0;
	if (!r)
		r = ivb_adm_opts_check(adm->cmd, p->given, p->err);
	if (!r)
		r = later_check(p);
	if (r)
		return r;
	adm->list = list_take(p->given);
	adm->persistent_conn = p->given & 1u << IVB_OPT_PERSISTENTCONN;
	if (adm->cmd == IVB_ADM_ADD || adm->cmd == IVB_ADM_EDIT) {
		if (!adm->key.port)
			return ivb_adm_opts_refuse(
				p->err, IVB_EXIT_USAGE,
				"Zero port specified for non-persistent service");
		scheduler_take(p);
		return 0;
	}
	if (!p->dest_has_port)
		adm->dest_port = adm->key.port;
	else if (adm->cmd == IVB_ADM_ADD_DEST && !adm->dest_port)
		return ivb_adm_opts_refuse(p->err, IVB_EXIT_USAGE,
					   "illegal real server address[:port] specified");
	if ((adm->cmd == IVB_ADM_ADD_DEST || adm->cmd == IVB_ADM_EDIT_DEST) &&
	    adm->dest_af != adm->key.af)
		return ivb_adm_opts_refuse(
			p->err, IVB_EXIT_USAGE,
			"Different address family is allowed only for tunneling servers");
	return 0;
}

const char *ivb_adm_parse_program(const char *argv0)
{
	return strcmp(argv0, "adm") ? argv0 : "ipvs-bpf adm";
}

int ivb_adm_parse(struct ivb_adm *ret, int argc, char **argv, struct ivb_adm_error *err)
{
	struct ivb_adm adm = { .cmd = IVB_ADM_LIST, .snat = IVB_SNAT_MAX_, .weight = 1 };
	struct parser p = {
		.adm = &adm,
		.err = err,
		.program = ivb_adm_parse_program(argc > 0 ? argv[0] : "adm"),
		.words = { .argv = argv, .argc = argc, .next = 1 },
	};
	int r;

	if (argc > 1) {
		r = command_parse(&p);
		if (r)
			return r;
		if (adm.cmd != IVB_ADM_HELP && adm.cmd != IVB_ADM_VERSION) {
			r = options_parse(&p);
			if (!r)
				r = request_check(&p);
			if (r)
				return r;
		}
	}
	*ret = adm;
	return 0;
}
