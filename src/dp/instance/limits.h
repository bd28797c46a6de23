/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much of everything an instance can have. */
#ifndef IVB_DP_INSTANCE_LIMITS_H
#define IVB_DP_INSTANCE_LIMITS_H

#define IVB_ZONE_MAX 0xffffffu
#define IVB_MAX_CONNS_DEFAULT 262144u
#define IVB_MAX_CONNS_MIN 16u
#define IVB_MAX_CONNS_MAX (1u << 24)
/* Half-open connections: a quarter of all, if nobody says otherwise; see IVB_HALF_OPEN_MAX. */
#define IVB_HALF_OPEN_DEFAULT(conns) ((conns) / 4)
#define IVB_MAX_DEVS 256
#define IVB_MAX_NON_MASQ 1024
#define IVB_FIRST_SNAT_PORT 1024 /* the default's lowest port */

#endif
