// SPDX-License-Identifier: GPL-2.0
/*
 * The storm's pairs: a listener, a control group, a queue or a device ends
 * while SYNs, last ACKs and data come to it.  docs/lifetimes.md says of each
 * pair why it should go well.
 */
#include "storm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bpf.h"
#include "nets.h"
#include "queue.h"

/* The server ceases to listen, and listens again */

static int listen_again(struct world *w, int err)
{
	if (err)
		return err;
	/* At once, or when all have seen it. */
	if (roll(w, 2))
		roll_nap(w, 8);
	if (listen(w->lfd, BACKLOG))
		return server_again(w);
	/* Waiting workers have been told that the listener ended. */
	usleep(10000);
	workers_mend(w);
	return 0;
}

int pair_shutdown(struct world *w)
{
	return listen_again(w, shutdown(w->lfd, SHUT_RDWR));
}

int pair_disconnect(struct world *w)
{
	return listen_again(w, sock_disconnect(w->lfd));
}

/* The kernel shuts such a socket down both ways.  If it listens again, its
 * connections inherit that, so after a moment another one takes its place.
 */
int pair_destroy(struct world *w)
{
	int err = sh("ss -tlnK 'sport = :%d' >/dev/null", PORT);

	if (err)
		return err;
	if (roll(w, 2))
		roll_nap(w, 6);
	listen(w->lfd, BACKLOG);
	roll_nap(w, 6);
	return server_again(w);
}

/* Destroys the talkers', or all, with half-open and closing ones. */
int pair_destroy_connections(struct world *w)
{
	return sh("ss -tanK state connected '( dport = :%d or sport = :%d )'"
		  " >/dev/null", PORT + 2, PORT + 2 * roll(w, 2));
}

/* A listener beside the server's comes and goes */

static int side_open(const struct trial *trial, bool group)
{
	int fd = sock_make(trial);

	if (group)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){ 1 },
			   sizeof(int));
	if (sock_bind(trial, fd, SIDE_PORT) || listen(fd, 16) ||
	    (trial->join && join(fd))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Makes one that has a core, to which connections come. */
static int side_busy(struct world *w, const struct trial *trial, bool group)
{
	int fd = side_open(trial, group);

	if (fd < 0)
		return fd;
	sock_claim(fd, roll(w, w->rng.cpus));
	unpin();
	roll_nap(w, 8);
	return fd;
}

/* A dual listener becomes an IPv4 socket, which may listen again. */
int pair_addrform(struct world *w)
{
	const struct trial dual = { AF_INET6, true, true };
	const struct trial after = { AF_INET, false, false };
	struct timeval limit = { .tv_sec = 1 };
	int family = AF_INET, err;
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6, .sin6_port = htons(PORT + 2),
	};
	int fd = side_busy(w, &dual, false);

	if (fd < 0)
		return fd;
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	err = sock_disconnect(fd) || connect(fd, (void *)&to, sizeof(to)) ||
	      setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family,
			 sizeof(family));
	if (!err && roll(w, 2)) {
		sock_disconnect(fd);
		sock_bind(&after, fd, SIDE_PORT);
		listen(fd, 16);
		roll_nap(w, 6);
	}
	close(fd);
	return err;
}

/* Parent and child have it, and both close it. */
int pair_fork(struct world *w)
{
	int fd = side_busy(w, &w->trial, false);
	pid_t pid;

	if (fd < 0)
		return fd;
	pid = fork_child();
	if (!pid) {
		usleep(roll(w, 2000));
		close(fd);
		_exit(0);
	}
	roll(w, 2);	/* the child rolls what would be our next */
	usleep(roll(w, 2000));
	close(fd);
	return reap(pid);
}

/* Another task lets it join while it is in use. */
int pair_adopt(struct world *w)
{
	const struct trial plain = { w->trial.family, w->trial.dual, false };
	int fd = side_busy(w, &plain, false), child, n = 0;
	pid_t pid;

	if (fd < 0)
		return fd;
	pid = fork_child();
	if (!pid)
		_exit(join(fd) != 0);
	while (sock_wait(fd, POLLIN, 1 << roll(w, 6)) && n++ < 64) {
		child = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (child >= 0)
			sock_reset(child);
	}
	if (roll(w, 2)) {
		close(fd);
		return reap(pid);
	}
	n = reap(pid);
	close(fd);
	return n;
}

/* One of two closes, and the other inherits its queue. */
int pair_migrate(struct world *w)
{
	int heir, leaver, child;

	sysctl_set("net/ipv4/tcp_migrate_req", "1");
	heir = side_open(&w->trial, true);
	leaver = side_busy(w, &w->trial, true);
	if (roll(w, 2))
		shutdown(leaver, SHUT_RDWR);
	close(leaver);
	while (heir >= 0 && sock_wait(heir, POLLIN, 10)) {
		child = accept4(heir, NULL, NULL, SOCK_CLOEXEC);
		if (child < 0)
			break;
		sock_reset(child);
	}
	close(heir);
	return heir < 0 || leaver < 0;
}

/* A control group ends */

static int group_enter_locked(const char *path)
{
	char text[16], procs[128];
	int lock = hotplug_lock(LOCK_SH), err;

	snprintf(text, sizeof(text), "%d", getpid());
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	err = put_file(procs, text);
	close(lock);
	return err;
}

static int group_drops(const char *path, int attach)
{
	int prog = bpf_verdict(BPF_PROG_TYPE_CGROUP_SKB, attach, 0);
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int link = bpf_attach(prog, attach, dir, 0);

	close(dir);
	close(prog);
	return link;
}

/* The listener was made in it.  Its programs see packets as they come and go;
 * the group goes while the listener is there.
 */
int pair_cgroup(struct world *w)
{
	int fd, link, err;
	char path[64];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/storm-pair%d", w->number);
	mkdir(path, 0755);
	err = group_enter_locked(path);
	fd = side_busy(w, &w->trial, false);
	link = group_drops(path, roll(w, 2) ? BPF_CGROUP_INET_INGRESS :
					      BPF_CGROUP_INET_EGRESS);
	roll_nap(w, 6);
	err = group_enter_locked("/sys/fs/cgroup") ?: err;
	if (roll(w, 2)) {
		close(link);
		link = -1;
	}
	err = rmdir(path) ?: err;
	roll_nap(w, 6);
	close(link);
	close(fd);
	return err || fd < 0;
}

/* Packets wait for a verdict */

/* Linux 6.1 warns when a chain goes with packets in its queue, whoever's chain
 * it is; newer kernels drop them in silence.
 */
static bool chain_may_go(void)
{
	struct utsname name;

	return !uname(&name) && strncmp(name.release, "6.1.", 4);
}

int pair_nfqueue(struct world *w)
{
	pid_t pid = queue_start(roll(w, w->rng.cpus));
	int err;

	if (pid < 0)
		return pid;
	err = sh("nft 'add table inet pair; add chain inet pair in "
		 "{ type filter hook %s priority %d; }; "
		 "add rule inet pair in tcp dport %d-%d "
		 "numgen random mod 2 0 queue num 1' 2>/dev/null",
		 roll(w, 2) ? "prerouting" : "input", roll(w, 2) ? -150 : 10,
		 PORT, SIDE_PORT);
	roll_nap(w, 9);
	/* Verdicts cease, or the chain goes with packets in the queue. */
	if (roll(w, 2)) {
		end(pid);
		pid = 0;
		roll_nap(w, 6);
	}
	if (!chain_may_go()) {
		sh("nft flush table inet pair 2>/dev/null");
		end(pid);
		pid = 0;
	}
	sh("nft delete table inet pair 2>/dev/null");
	end(pid);
	return err;
}

/* A device goes */

/* Packets that it brought are on their way to their cores. */
int pair_device(struct world *w)
{
	int err = sh("ip link add goes type dummy && ip link set goes up") ||
		  card_set("goes");

	roll_nap(w, 8);
	err = sh("ip link del goes") ?: err;
	roll_nap(w, 5);
	return card_set("lo") ?: err;
}
