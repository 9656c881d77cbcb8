/* SPDX-License-Identifier: MIT */
#ifndef FSK_BOOT_H
#define FSK_BOOT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct fsk_boot - what this kernel does with modules
 * @release: of the kernel
 * @refcount: of our module, or -1 when it is not loaded
 * @found: a fastsocket.ko for this kernel is installed
 * @dkms: DKMS has our module's sources, or has built them
 * @signed_only: the kernel loads signed modules only
 * @secure_boot: the firmware says that Secure Boot is on
 */
struct fsk_boot {
	char release[65];
	long refcount;
	bool found;
	bool dkms;
	bool signed_only;
	bool secure_boot;
};

void fsk_boot_read(struct fsk_boot *boot, const char *root);
bool fsk_boot_module_file(const char *root, char *path, size_t size);
const char *fsk_boot_reload(void);
const char *fsk_boot_advice(const struct fsk_boot *boot, char *text,
			    size_t size);

#endif
