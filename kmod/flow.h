/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A connection's hash, the same from its socket and from its packets.  Tables
 * of connections are addressed by it; each has a secret seed of its own.
 */
#ifndef FSK_FLOW_H
#define FSK_FLOW_H

#include <linux/bitops.h>
#include <linux/in6.h>
#include <linux/types.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>

/* Somebody who knew the seed could fill one bucket of a table, which would send
 * those connections the kernel's way; so the hash need not be stronger.  @ports
 * is INET_COMBINED_PORTS(), local and remote as the sock has them.
 */

static inline u32 fsk_flow_mix(u64 x)
{
	x *= 0x9e3779b97f4a7c15ull;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return x >> 32;
}

static inline u32 fsk_flow_hash4(u64 seed, __be32 remote, __be32 local,
				 __portpair ports)
{
	u64 x = (__force u64)remote << 32 | (__force u32)ports;

	return fsk_flow_mix((x ^ seed) * 0xff51afd7ed558ccdull +
			    (__force u32)local);
}

/* One load where bytes are in this order. */
static inline u64 fsk_flow_half(const struct in6_addr *addr, int i)
{
	return (__force u64)addr->s6_addr32[i + 1] << 32 |
	       (__force u32)addr->s6_addr32[i];
}

static inline u32 fsk_flow_hash6(u64 seed, const struct in6_addr *remote,
				 const struct in6_addr *local, __portpair ports)
{
	u64 x = seed ^ (__force u32)ports;
	int i;

	for (i = 0; i < 4; i += 2) {
		x = (x ^ fsk_flow_half(remote, i)) * 0xff51afd7ed558ccdull;
		x = rol64(x, 32);
		x = (x ^ fsk_flow_half(local, i)) * 0xc4ceb9fe1a85ec53ull;
		x = rol64(x, 32);
	}
	return fsk_flow_mix(x);
}

static inline u32 fsk_flow_hash(u64 seed, const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		return fsk_flow_hash6(seed, &sk->sk_v6_daddr,
				      &sk->sk_v6_rcv_saddr, sk->sk_portpair);
#endif
	return fsk_flow_hash4(seed, sk->sk_daddr, sk->sk_rcv_saddr,
			      sk->sk_portpair);
}

#endif
