/* SPDX-License-Identifier: MIT */
#ifndef FSK_CGROUP_RUN_H
#define FSK_CGROUP_RUN_H

const char *fsk_cgroup_run_enter(void);

#endif
