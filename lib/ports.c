// SPDX-License-Identifier: MIT
/* A list of ports, as in FASTSOCKET_PORTS and `fastsocket run --ports`. */
#include "ports.h"

#define FSK_PORTS_MAX	65535

/* Reads a port at @s and moves @s past it. Returns 0 when there is no port. */
static unsigned int fsk_ports_number(const char **s)
{
	unsigned int n = 0;

	for (; **s >= '0' && **s <= '9'; (*s)++) {
		n = 10 * n + (**s - '0');
		if (n > FSK_PORTS_MAX)
			return 0;
	}
	return n;
}

/**
 * fsk_ports_parse() - read a list such as "80,443,8000-8999"
 * @ports: gets the ports of the list in addition to those it has
 * @list: numbers from 1 to 65535 and ranges of them, separated by commas
 *
 * Context: Any, even a signal handler.
 * Return: 0, or -1 when this is no such list. @ports may then hold some of it.
 */
int fsk_ports_parse(struct fsk_ports *ports, const char *list)
{
	unsigned int first, last;

	do {
		first = fsk_ports_number(&list);
		last = first;
		if (*list == '-') {
			list++;
			last = fsk_ports_number(&list);
		}
		if (!first || last < first)
			return -1;
		for (; first <= last; first++)
			atomic_fetch_or(&ports->bits[first / FSK_PORTS_WORD],
					1UL << first % FSK_PORTS_WORD);
	} while (*list++ == ',');
	return list[-1] ? -1 : 0;
}

/**
 * fsk_ports_has() - is a port in the set?
 * @ports: the set
 * @port: the port, host byte order
 *
 * Context: Any.
 * Return: whether it is.
 */
bool fsk_ports_has(struct fsk_ports *ports, unsigned int port)
{
	return port <= FSK_PORTS_MAX &&
	       atomic_load(&ports->bits[port / FSK_PORTS_WORD]) &
	       1UL << port % FSK_PORTS_WORD;
}
