/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Constants that the programs of every object have, from bpf/maps.h. Internal to dp. */
#ifndef IVB_DP_LOAD_RODATA_INT_H
#define IVB_DP_LOAD_RODATA_INT_H

/* A macro, as each skeleton has a type of its own for them. Between open and load. */
#define IVB_RODATA_SET(rodata, meta)                                   \
	do {                                                           \
		(rodata)->ivb_hz = (meta)->hz;                         \
		(rodata)->ivb_conn_mask4 = (meta)->max_conns - 1;      \
		(rodata)->ivb_conn_mask6 = (meta)->max_conns6 - 1;     \
		(rodata)->ivb_nexthop_mask = (meta)->max_nexthops - 1; \
	} while (0)

#endif
