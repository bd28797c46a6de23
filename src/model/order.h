/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of ipvsadm's listings. It compares addresses by the sign of their 32-bit difference, so
 * 192.0.2.1 comes before 10.0.0.1: kept, because people and scripts read the two side by side.
 */
#ifndef IVB_MODEL_ORDER_H
#define IVB_MODEL_ORDER_H

#include <ivb/abi.h>

/* <0, 0, >0. */
int ivb_service_order(const struct ivb_service_key *a, const struct ivb_service_key *b);
int ivb_dest_order(const struct ivb_dest *a, const struct ivb_dest *b);

#endif
