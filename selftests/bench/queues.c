// SPDX-License-Identifier: GPL-2.0
/*
 * queues: on which queue, or which CPU, packets come in.
 *
 *   queues send INTERFACE
 *   queues receive INTERFACE queue|cpu
 *
 * Sends 10,000 TCP packets of IPv4 and as many of IPv6, addresses and ports at
 * random but the same in each run, and prints for each where it came in. A
 * batch is sent again until the other end has it whole.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TUPLES	10000	/* of each family */
#define BATCH	50	/* divides it */
#define FRAME	400	/* bytes, more than SNAP and a queue's number */
#define SNAP	200	/* bytes that are received, and one for each queue */
#define NUMBER	100	/* where a frame has its number */
#define LIMIT	300	/* seconds for all */
#define PATIENCE 500	/* ms until a batch is sent again */

/* The sending station's address ends the same way for all of a direction. */
enum { THERE = 0x02fe, BACK = 0x02fd };

static uint64_t state;

/* Knuth's MMIX generator; its upper half. */
static uint32_t next_random(void)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state >> 32;
}

static void head(uint8_t *f, uint16_t station, uint16_t type, uint32_t number)
{
	memset(f, 0, FRAME);
	memset(f, 0xff, 6);
	f[6] = station >> 8;
	f[7] = station;
	f[12] = type >> 8;
	f[13] = type;
	memcpy(f + NUMBER, &number, sizeof(number));
}

static void fill(uint8_t *f, unsigned int n)
{
	bool v6 = n >= TUPLES;
	uint8_t *ip = f + ETH_HLEN;
	unsigned int i, size = v6 ? 36 : 12;
	uint8_t *data = ip + (v6 ? 8 : 12);
	uint32_t word;

	head(f, THERE, v6 ? ETH_P_IPV6 : ETH_P_IP, n);
	state = n;
	next_random();
	for (i = 0; i < size; i += 4) {
		word = next_random();
		memcpy(data + i, &word, 4);
	}
	if (v6) {
		ip[0] = 0x60;
		ip[5] = (uint8_t)(FRAME - ETH_HLEN - 40);
		ip[4] = (FRAME - ETH_HLEN - 40) >> 8;
		ip[6] = IPPROTO_TCP;
		ip[7] = 64;
		data[0] = 0x20;
		data[16] = 0x20;
	} else {
		ip[0] = 0x45;
		ip[3] = (uint8_t)(FRAME - ETH_HLEN);
		ip[2] = (FRAME - ETH_HLEN) >> 8;
		ip[8] = 64;
		ip[9] = IPPROTO_TCP;
		data[0] = 10;
		data[4] = 10;
	}

	data[size + 8] = 0x50;
}

/* Gets frames of the other direction; of each as many bytes as SNAP and what
 * the kernel knows by @what.
 */
static int packet_socket(const char *name, uint16_t station, uint32_t what)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_H | BPF_ABS, 0, 0, 6 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 1, 0, station },
		{ BPF_RET | BPF_K, 0, 0, 0 },
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, SKF_AD_OFF + what },
		{ BPF_ALU | BPF_ADD | BPF_K, 0, 0, SNAP },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	struct sock_fprog filter = { 6, code };
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	int room = 8 << 20, s = socket(AF_PACKET, SOCK_RAW, 0);

	if (s < 0 || !to.sll_ifindex ||
	    setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		       sizeof(filter)) ||
	    setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(s, (void *)&to, sizeof(to)))
		err(1, "packet socket on %s", name);
	return s;
}

static bool readable(int s, int ms)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

static uint32_t number_of(const uint8_t *f)
{
	uint32_t n;

	memcpy(&n, f + NUMBER, sizeof(n));
	return n;
}

static void send_all(const char *name)
{
	int s = packet_socket(name, BACK, SKF_AD_CPU);
	time_t end = time(NULL) + LIMIT;
	uint32_t batch = 0, i;
	uint8_t f[FRAME];

	while (batch < 2 * TUPLES / BATCH) {
		if (time(NULL) > end)
			errx(1, "no answer within %d s", LIMIT);
		for (i = 0; i < BATCH; i++) {
			fill(f, batch * BATCH + i);
			/* It may be full, or not yet up: sent again later. */
			if (send(s, f, FRAME, 0) < 0)
				break;
		}
		while (readable(s, PATIENCE)) {
			if (recv(s, f, FRAME, 0) > SNAP / 2 &&
			    number_of(f) == batch) {
				batch++;
				break;
			}
		}
	}
}

static void receive_all(const char *name, bool cpu)
{
	int s = packet_socket(name, THERE, cpu ? SKF_AD_CPU : SKF_AD_QUEUE);
	static int where[2 * TUPLES];
	static unsigned int missing[2 * TUPLES / BATCH];
	unsigned int left = 2 * TUPLES, i;
	time_t end = time(NULL) + LIMIT;
	uint8_t f[FRAME];
	uint32_t n;
	ssize_t got;

	for (i = 0; i < 2 * TUPLES / BATCH; i++)
		missing[i] = BATCH;
	while (left) {
		if (time(NULL) > end)
			errx(1, "%u packets did not come", left);
		if (!readable(s, PATIENCE))
			continue;
		got = recv(s, f, FRAME, 0);
		n = number_of(f);
		if (got < SNAP || n >= 2 * TUPLES)
			continue;
		/* The kernel counts queues from 1, and 0 is none. */
		if (!where[n]) {
			where[n] = got - SNAP + (cpu ? 1 : 0);
			if (!where[n])
				errx(1, "packet %u came in on no queue", n);
			left--;
			missing[n / BATCH]--;
		}
		if (missing[n / BATCH])
			continue;
		head(f, BACK, ETH_P_802_EX1, n / BATCH);
		if (send(s, f, FRAME, 0) < 0)
			err(1, "answer");
	}
	for (i = 0; i < 2 * TUPLES; i++)
		printf("%u %d\n", i, where[i] - 1);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "send"))
		send_all(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "receive"))
		receive_all(argv[2], !strcmp(argv[3], "cpu"));
	else
		errx(2, "usage: queues send INTERFACE | %s",
		     "receive INTERFACE queue|cpu");
	return 0;
}
