/* SPDX-License-Identifier: MIT */
#ifndef FSK_TOOL_RFD_H
#define FSK_TOOL_RFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/fastsocket.h>

struct fsk_nic;
struct fsk_nl;

/**
 * struct fsk_rfd_row - what the module knows of an interface
 * @ifindex: the interface
 * @mode: enum fsk_rfd_mode
 * @hash: FSK_RFD_HASH_*
 * @key: its RSS key
 * @key_len: bytes of @key
 * @table: cores
 * @table_len: entries of @table
 */
struct fsk_rfd_row {
	uint32_t ifindex;
	uint8_t mode;
	uint32_t hash;
	uint8_t key[FSK_RFD_KEY_MAX];
	unsigned int key_len;
	uint32_t table[FSK_RFD_TABLE_MAX];
	unsigned int table_len;
};

/**
 * struct fsk_rfd_table - what the module knows of all interfaces
 * @count: of @rows
 * @rows: interfaces that have a mode of their own
 * @rest: mode of the others
 * @counts: the module counts packets in all modes
 */
struct fsk_rfd_table {
	size_t count;
	struct fsk_rfd_row *rows;
	uint8_t rest;
	bool counts;
};

/**
 * struct fsk_flow - a connection, maybe a closed one
 * @family: AF_INET, also over IPv4 on an IPv6 socket, or AF_INET6
 * @local: address, network byte order
 * @remote: address, network byte order
 * @lport: port, host byte order
 * @rport: port, host byte order
 * @state: as the kernel numbers them
 * @uid: owner
 * @inode: of the socket
 * @ifindex: the interface to which it is bound, or 0
 * @memory: bytes that its queues hold
 */
struct fsk_flow {
	uint8_t family;
	uint8_t local[16];
	uint8_t remote[16];
	uint16_t lport;
	uint16_t rport;
	uint8_t state;
	uint32_t uid;
	uint32_t inode;
	uint32_t ifindex;
	uint32_t memory;
};

#define FSK_RFD_NO_CORE	UINT32_MAX

extern const char * const fsk_rfd_modes[];
int fsk_rfd_mode_number(const char *word);
const char *fsk_rfd_mode_name(unsigned int mode);

int fsk_rfd_read(struct fsk_nl *nl, struct fsk_rfd_table *table);
void fsk_rfd_free(struct fsk_rfd_table *table);
const struct fsk_rfd_row *fsk_rfd_find(const struct fsk_rfd_table *table,
				       uint32_t ifindex);
int fsk_rfd_send_mode(struct fsk_nl *nl, uint32_t ifindex, unsigned int mode,
		      const struct fsk_nic *nic);
int fsk_rfd_send_del(struct fsk_nl *nl, uint32_t ifindex);
uint32_t fsk_rfd_core(const struct fsk_rfd_table *table, uint32_t ifindex,
		      const struct fsk_flow *flow);

#endif
