/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf/pkt/csum.h against sums made anew: random data, random changes in the 32-bit words that NAT
 * changes, and every 16-bit checksum with the deltas at the edges.
 */
#include <stdint.h>
#include <string.h>

#include "pkt.h"
#include "pkt/csum.h"
#include "tap.h"

#define ROUNDS 2000000

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Mostly random; often enough the words whose sums carry or vanish. */
static uint32_t word(void)
{
	static const uint32_t edge[] = { 0, 0xffffffff, 0xffff, 0xffff0000, 1, 0x80000000 };

	return rnd() % 4 ? rnd() : edge[rnd() % 6];
}

/* The sum as 16-bit words stand in memory, folded by nothing but addition and carry. */
static uint16_t sum_slow(const void *data, size_t words16)
{
	uint32_t sum = 0;
	uint16_t w;

	for (size_t i = 0; i < words16; i++) {
		memcpy(&w, (const char *)data + 2 * i, 2);
		sum += w;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

static void test_fold(void)
{
	unsigned int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		/* up to 2^16 words of 32 bits */
		uint64_t sum = rnd() & 0xffffffffffff;
		uint16_t want = sum % 0xffff;

		if (!want && sum)
			want = 0xffff;
		wrong += csum_fold(sum) != want;
	}
	is_int(wrong, 0, "csum_fold() of %d sums", ROUNDS);
	is_int(csum_fold(0), 0, "csum_fold(0)");
	is_int(csum_fold(0xffff), 0xffff, "csum_fold(0xffff)");
	is_int(csum_fold(0xffffffffffff), 0xffff, "csum_fold() of the largest sum");
}

/* n words of a datagram change; the folded delta is 16 bits wide, as the flows keep it. */
static void test_update(unsigned int n)
{
	unsigned int wrong = 0, wrong_udp = 0;

	for (int i = 0; i < ROUNDS / 4; i++) {
		uint32_t data[12];
		uint16_t check, want, delta;
		uint64_t sum = 0;

		for (int j = 0; j < 12; j++)
			data[j] = word();
		data[11] |= 1; /* real datagrams are never all zero */
		check = ~sum_slow(data, 24);
		for (unsigned int j = 0; j < n; j++) {
			uint32_t to = word();

			sum += csum_word(data[j], to);
			data[j] = to;
		}
		delta = csum_fold(sum);
		want = ~sum_slow(data, 24);
		wrong += csum_update(check, delta) != want;
		/* UDP writes 0xffff for 0 */
		if (!check)
			check = 0xffff;
		if (!want)
			want = 0xffff;
		wrong_udp += csum_update_udp(check, delta) != want;
	}
	is_int(wrong, 0, "csum_update(), %u words changed", n);
	is_int(wrong_udp, 0, "csum_update_udp(), %u words changed", n);
}

static void test_edges(void)
{
	static const uint32_t deltas[] = { 0, 1, 0xfffe, 0xffff };
	unsigned int wrong = 0, zero = 0, none = 0;

	for (unsigned int check = 0; check <= 0xffff; check++) {
		for (int i = 0; i < 4; i++) {
			uint32_t have = ~check & 0xffff, want = have + deltas[i];

			if (want > 0xffff)
				want -= 0xffff;
			/* as numbers modulo 0xffff */
			wrong += ((uint16_t)~csum_update(check, deltas[i]) % 0xffff) !=
				 want % 0xffff;
			if (check)
				zero += !csum_update_udp(check, deltas[i]);
			else
				none += !!csum_update_udp(check, deltas[i]);
		}
	}
	is_int(wrong, 0, "csum_update() of every checksum with deltas 0, 1, 0xfffe, 0xffff");
	is_int(zero, 0, "csum_update_udp() never makes a checksum 0");
	is_int(none, 0, "csum_update_udp() leaves 0 (no checksum) alone");
	is_int(csum_update(0x1234, 0), 0x1234, "no change, same checksum");
	is_int(csum_update(0xffff, 0), 0xffff, "no change keeps 0xffff");
}

/* There and back: the reply direction undoes what the forward direction did. */
static void test_inverse(void)
{
	unsigned int wrong = 0;

	for (int i = 0; i < ROUNDS / 4; i++) {
		uint32_t a = word(), b = word();
		uint16_t check = rnd() % 0xffff; /* 0xffff is not a computed checksum */
		uint16_t there = csum_update(check, csum_fold(csum_word(a, b)));

		wrong += csum_update(there, csum_fold(csum_word(b, a))) != check;
	}
	is_int(wrong, 0, "a change and its reverse leave the checksum as it was");
}

int main(void)
{
	test_fold();
	for (unsigned int n = 1; n <= 9; n += 2)
		test_update(n);
	test_edges();
	test_inverse();
	return done_testing();
}
