// SPDX-License-Identifier: GPL-2.0
/*
 * A socket that FSK_IOC_ACCEPT made of one that was closed before, beside one
 * that accept4() made: nothing that a program can ask tells them apart.
 */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "counters.h"
#include "pairs.h"
#include "support.h"
#include "workers.h"

enum { PLAIN, AGAIN, PAIRS };

FIXTURE(vfs) {
	struct trial trial;
	int lfd;
	int port;
	struct pair pair[PAIRS];
};

TRIAL_VARIANTS(vfs);

FIXTURE_SETUP(vfs)
{
	int i;

	self->trial = variant->trial;
	self->lfd = pairs_listen(&self->trial);
	ASSERT_LE(0, self->lfd);
	self->port = sock_port(self->lfd);
	for (i = 0; i < PAIRS; i++)
		self->pair[i] = (struct pair){ -1, -1 };
	ASSERT_EQ(0, pair_plain(&self->trial, self->lfd, &self->pair[PLAIN]));
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0,
				&self->pair[AGAIN]));
	ASSERT_EQ(0, fcntl(self->pair[PLAIN].fd, F_SETFD, 0));
}

FIXTURE_TEARDOWN(vfs)
{
	for (int i = 0; i < PAIRS; i++)
		pair_close(&self->pair[i]);
	close(self->lfd);
}

/* What it is */

static ino_t ino_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static int link_of(int fd, char *text, int size)
{
	char path[64];
	int n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

TEST_F(vfs, link)
{
	char text[64], want[64];
	int i;

	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, link_of(self->pair[i].fd, text, sizeof(text)));
		snprintf(want, sizeof(want), "socket:[%lu]",
			 (unsigned long)ino_of(self->pair[i].fd));
		EXPECT_STREQ(want, text);
	}
	EXPECT_NE(ino_of(self->pair[PLAIN].fd), ino_of(self->pair[AGAIN].fd));
}

/* Everything but the number of the inode. */
static int fdinfo_of(int fd, char *text, int size)
{
	char path[64], line[128];
	int len = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	if (!f)
		return -errno;
	text[0] = '\0';
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "ino:", 4))
			len += snprintf(text + len, size - len, "%s", line);
	fclose(f);
	return 0;
}

TEST_F(vfs, fdinfo)
{
	char text[PAIRS][1024];
	int i;

	for (i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, fdinfo_of(self->pair[i].fd, text[i],
				       sizeof(text[i])));
	EXPECT_STREQ(text[PLAIN], text[AGAIN]);
	EXPECT_NE(NULL, strstr(text[AGAIN], "mnt_id:"));
}

/* Only sockets that are open count: numbers may come back after 2^32. */
TEST_F(vfs, stat)
{
	struct stat plain, again;

	ASSERT_EQ(0, fstat(self->pair[PLAIN].fd, &plain));
	ASSERT_EQ(0, fstat(self->pair[AGAIN].fd, &again));
	EXPECT_EQ(S_IFSOCK | 0777, again.st_mode);
	EXPECT_EQ(plain.st_mode, again.st_mode);
	EXPECT_EQ(plain.st_dev, again.st_dev);
	EXPECT_EQ(plain.st_nlink, again.st_nlink);
	EXPECT_EQ(plain.st_uid, again.st_uid);
	EXPECT_EQ(plain.st_gid, again.st_gid);
	EXPECT_EQ(plain.st_rdev, again.st_rdev);
	EXPECT_EQ(plain.st_size, again.st_size);
	EXPECT_EQ(plain.st_blocks, again.st_blocks);
	EXPECT_EQ(plain.st_blksize, again.st_blksize);
}

TEST_F(vfs, statfs_xattr)
{
	char name[PAIRS][32] = { "", "x" }, list[PAIRS][64] = { "", "x" };
	struct statfs fs[PAIRS] = { 0 };
	int i, fd;

	for (i = 0; i < PAIRS; i++) {
		fd = self->pair[i].fd;
		ASSERT_EQ(0, fstatfs(fd, &fs[i]));
		ASSERT_LT(0, fgetxattr(fd, "system.sockprotoname", name[i],
				       sizeof(name[i])));
		ASSERT_LT(0, flistxattr(fd, list[i], sizeof(list[i])));
	}
	EXPECT_EQ(0x534F434B, fs[AGAIN].f_type);
	EXPECT_EQ(0, memcmp(&fs[PLAIN], &fs[AGAIN], sizeof(fs[0])));
	EXPECT_STREQ(name[PLAIN], name[AGAIN]);
	EXPECT_STREQ(list[PLAIN], list[AGAIN]);
}

/* Newer kernels' sockets have the user's attributes: nobody sees them later. */
TEST_F(vfs, xattr)
{
	uint64_t changed = count(FSK_STAT_VFS_CHANGED);
	struct pair pair;
	int i, res[PAIRS];
	char value[8];

	for (i = 0; i < PAIRS; i++)
		res[i] = fsetxattr(self->pair[i].fd, "user.x", "y", 1, 0);
	EXPECT_EQ(res[PLAIN], res[AGAIN]);
	if (res[AGAIN])
		return;
	ASSERT_EQ(1, fgetxattr(self->pair[AGAIN].fd, "user.x", value, 8));
	pair_close(&self->pair[AGAIN]);
	for (i = 0; i < ROUNDS_MAX; i++) {
		ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
		ASSERT_EQ(-1, fgetxattr(pair.fd, "user.x", value, 8));
		if (count(FSK_STAT_VFS_CHANGED) > changed)
			break;
		pair_close(&pair);
	}
	EXPECT_LT(changed, count(FSK_STAT_VFS_CHANGED));
	self->pair[AGAIN] = pair;
}

/* A socket can't be opened by its name. */
TEST_F(vfs, open)
{
	char path[64];
	int i, fd;

	for (i = 0; i < PAIRS; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d",
			 self->pair[i].fd);
		EXPECT_EQ(-1, open(path, O_RDWR));
		EXPECT_EQ(ENXIO, errno);
		fd = open(path, O_PATH);
		ASSERT_LE(0, fd);
		EXPECT_EQ(ino_of(self->pair[i].fd), ino_of(fd));
		close(fd);
	}
}

/* The name outlives the socket: so does the inode, which is not used again
 * before.
 */
TEST_F(vfs, path_keeps)
{
	struct pair pair;
	char path[64];
	ino_t ino;
	int i, fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->pair[AGAIN].fd);
	fd = open(path, O_PATH);
	ASSERT_LE(0, fd);
	ino = ino_of(fd);
	pair_close(&self->pair[AGAIN]);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
		ASSERT_NE(ino, ino_of(pair.fd));
		ASSERT_EQ(ino, ino_of(fd));
		pair_close(&pair);
	}
	close(fd);
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0,
				&self->pair[AGAIN]));
}

/* Owner, mode and times change as on any socket, and nobody sees them later. */
TEST_F(vfs, chown_chmod)
{
	uint64_t changed = count(FSK_STAT_VFS_CHANGED);
	/* The kernel doesn't set a new inode's: not those of another test. */
	struct timespec times[2] = { { 1000, 0 }, { 1000000 + getpid(), 0 } };
	struct stat st, after[PAIRS];
	struct pair pair;
	int i, n;

	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, fchown(self->pair[i].fd, 4321, 8765));
		ASSERT_EQ(0, fchmod(self->pair[i].fd, 0600));
		ASSERT_EQ(0, futimens(self->pair[i].fd, times));
		ASSERT_EQ(0, fstat(self->pair[i].fd, &after[i]));
	}
	EXPECT_EQ(S_IFSOCK | 0600, after[AGAIN].st_mode);
	EXPECT_EQ(4321, after[AGAIN].st_uid);
	EXPECT_EQ(8765, after[AGAIN].st_gid);
	EXPECT_EQ(times[1].tv_sec, after[AGAIN].st_mtim.tv_sec);
	EXPECT_EQ(after[PLAIN].st_mode, after[AGAIN].st_mode);
	EXPECT_EQ(after[PLAIN].st_mtim.tv_sec, after[AGAIN].st_mtim.tv_sec);
	pair_close(&self->pair[AGAIN]);
	for (n = 0; n < ROUNDS_MAX; n++) {
		ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
		ASSERT_EQ(0, fstat(pair.fd, &st));
		ASSERT_EQ(S_IFSOCK | 0777, st.st_mode);
		ASSERT_EQ(geteuid(), st.st_uid);
		ASSERT_EQ(getegid(), st.st_gid);
		ASSERT_NE(times[1].tv_sec, st.st_mtim.tv_sec);
		if (count(FSK_STAT_VFS_CHANGED) > changed)
			break;
		pair_close(&pair);
	}
	EXPECT_LT(changed, count(FSK_STAT_VFS_CHANGED));
	self->pair[AGAIN] = pair;
}

/* The owner is who accepts; filters by user look at it. */
TEST_F(vfs, owner)
{
	struct pair pair;
	struct stat st;
	pid_t pid;

	pid = fork_child();
	if (!pid) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		if (pair_again(&self->trial, self->lfd, 0, &pair))
			_exit(2);
		if (fstat(pair.fd, &st) || st.st_uid != 1234 ||
		    st.st_gid != 1234)
			_exit(3);
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
}

/* What it does */

TEST_F(vfs, ioctls)
{
	int i, fd, peer, n, mark;

	for (i = 0; i < PAIRS; i++) {
		fd = self->pair[i].fd;
		peer = self->pair[i].peer;
		ASSERT_EQ(3, write(peer, "abc", 3));
		ASSERT_TRUE(until(!ioctl(fd, FIONREAD, &n) && n == 3));
		ASSERT_EQ(1, send(peer, "!", 1, MSG_OOB));
		ASSERT_TRUE(until(sock_wait(fd, POLLPRI, 0)));
		ASSERT_EQ(0, ioctl(fd, SIOCATMARK, &mark));
		EXPECT_EQ(0, mark);
		ASSERT_EQ(0, ioctl(fd, SIOCOUTQ, &n));
		EXPECT_EQ(0, n);
		n = 1;
		ASSERT_EQ(0, ioctl(fd, FIONBIO, &n));
		EXPECT_EQ(O_RDWR | O_NONBLOCK, fcntl(fd, F_GETFL));
		EXPECT_EQ(-1, ioctl(fd, TCGETS, &n));
		EXPECT_EQ(ENOTTY, errno);
		EXPECT_EQ(-ENOTTY, sock_accept_fast(fd, 0, NULL, NULL));
	}
}

TEST_F(vfs, sigio)
{
	struct timespec limit = { PATIENCE_MS / 1000, 0 };
	siginfo_t info;
	sigset_t set;
	int i, fd, on = 1;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < PAIRS; i++) {
		fd = self->pair[i].fd;
		EXPECT_EQ(0, fcntl(fd, F_GETOWN));
		ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
		ASSERT_EQ(0, ioctl(fd, FIOASYNC, &on));
		ASSERT_EQ(1, write(self->pair[i].peer, "x", 1));
		EXPECT_EQ(SIGIO, sigtimedwait(&set, &info, &limit));
	}
	/* The next that it is used for sends none. */
	pair_close(&self->pair[AGAIN]);
	while (sigtimedwait(&set, &info, &(struct timespec){ 0 }) == SIGIO)
		;
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0,
				&self->pair[AGAIN]));
	fd = self->pair[AGAIN].fd;
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL));
	EXPECT_EQ(0, fcntl(fd, F_GETOWN));
	ASSERT_EQ(1, write(self->pair[AGAIN].peer, "x", 1));
	ASSERT_TRUE(until(sock_wait(fd, POLLIN, 0)));
	EXPECT_EQ(-1, sigtimedwait(&set, &info, &(struct timespec){ 0 }));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

TEST_F(vfs, flags)
{
	static const int flags[] = { 0, SOCK_NONBLOCK, SOCK_CLOEXEC,
				     SOCK_NONBLOCK | SOCK_CLOEXEC };
	struct pair pair;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pair_again(&self->trial, self->lfd, flags[i],
					&pair));
		EXPECT_EQ(O_RDWR | (flags[i] & SOCK_NONBLOCK),
			  fcntl(pair.fd, F_GETFL));
		EXPECT_EQ(flags[i] & SOCK_CLOEXEC ? FD_CLOEXEC : 0,
			  fcntl(pair.fd, F_GETFD));
		EXPECT_EQ(-1, lseek(pair.fd, 0, SEEK_CUR));
		EXPECT_EQ(ESPIPE, errno);
		EXPECT_EQ(-1, pread(pair.fd, &i, 1, 0));
		EXPECT_EQ(ESPIPE, errno);
		EXPECT_EQ(fcntl(self->pair[PLAIN].fd, F_SETLEASE, F_RDLCK),
			  fcntl(pair.fd, F_SETLEASE, F_RDLCK));
		pair_close(&pair);
	}
}

/* Options of a socket go with it. */
TEST_F(vfs, options)
{
	int on = 1, value = -1;
	socklen_t len = sizeof(value);
	struct pair pair;
	int i;

	setsockopt(self->pair[AGAIN].fd, SOL_SOCKET, SO_KEEPALIVE, &on,
		   sizeof(on));
	setsockopt(self->pair[AGAIN].fd, SOL_SOCKET, SO_TIMESTAMP, &on,
		   sizeof(on));
	pair_close(&self->pair[AGAIN]);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
		ASSERT_EQ(0, getsockopt(pair.fd, SOL_SOCKET, SO_KEEPALIVE,
					&value, &len));
		ASSERT_EQ(0, value);
		ASSERT_EQ(0, getsockopt(pair.fd, SOL_SOCKET, SO_TIMESTAMP,
					&value, &len));
		ASSERT_EQ(0, value);
		pair_close(&pair);
	}
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0,
				&self->pair[AGAIN]));
}

static bool ended(int peer)
{
	char byte;

	return sock_wait(peer, POLLIN, 0) && !recv(peer, &byte, 1, MSG_PEEK);
}

TEST_F(vfs, dup_fork)
{
	int i, copy, hold[2];
	pid_t pid;
	char byte;

	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, pipe(hold));
		copy = dup(self->pair[i].fd);
		ASSERT_LE(0, copy);
		pid = fork_child();
		if (!pid) {
			close(hold[1]);
			_exit(read(hold[0], &byte, 1) ? 1 : 0);
		}
		close(self->pair[i].fd);
		ASSERT_EQ(1, write(copy, "d", 1));
		ASSERT_EQ(1, read(self->pair[i].peer, &byte, 1));
		close(copy);
		close(hold[0]);
		EXPECT_FALSE(ended(self->pair[i].peer));
		close(hold[1]);
		ASSERT_EQ(0, reap(pid));
		EXPECT_TRUE(until(ended(self->pair[i].peer)));
		self->pair[i].fd = -1;
	}
}

static int pass_fd(int via, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { 0 };
	struct iovec iov = { "f", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = u.buf, .msg_controllen = sizeof(u.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(via, &msg, 0) == 1 ? 0 : -errno;
}

static int catch_fd(int via)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { 0 };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = u.buf, .msg_controllen = sizeof(u.buf),
	};
	int fd;

	if (recvmsg(via, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -EIO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

/* To a process in other namespaces, which keeps it alone. */
TEST_F(vfs, scm_rights)
{
	int i, via[2], fd;
	pid_t pid;
	char byte;

	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, via));
		pid = fork_child();
		if (!pid) {
			close(self->pair[i].fd);
			close(via[0]);
			if (unshare(CLONE_NEWUSER | CLONE_NEWNET |
				    CLONE_NEWNS))
				_exit(1);
			fd = catch_fd(via[1]);
			if (fd < 0 || read(fd, &byte, 1) != 1 ||
			    write(fd, &byte, 1) != 1)
				_exit(2);
			_exit(0);
		}
		close(via[1]);
		ASSERT_EQ(0, pass_fd(via[0], self->pair[i].fd));
		close(self->pair[i].fd);
		self->pair[i].fd = -1;
		ASSERT_EQ(1, write(self->pair[i].peer, "s", 1));
		ASSERT_TRUE(until(sock_wait(self->pair[i].peer, POLLIN, 0)));
		ASSERT_EQ(1, read(self->pair[i].peer, &byte, 1));
		EXPECT_EQ('s', byte);
		EXPECT_EQ(0, reap(pid));
		EXPECT_TRUE(until(ended(self->pair[i].peer)));
		close(via[0]);
	}
}

TEST_F(vfs, pidfd_getfd)
{
	int i, fd, pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	pid_t pid;
	char byte;

	ASSERT_LE(0, pidfd);
	for (i = 0; i < PAIRS; i++) {
		pid = fork_child();
		if (!pid) {
			close(self->pair[i].fd);
			fd = syscall(SYS_pidfd_getfd, pidfd, self->pair[i].fd,
				     0);
			_exit(fd < 0 || write(fd, "p", 1) != 1);
		}
		ASSERT_EQ(0, reap(pid));
		ASSERT_EQ(1, read(self->pair[i].peer, &byte, 1));
		EXPECT_EQ('p', byte);
	}
	close(pidfd);
}

TEST_F(vfs, splice_sendfile)
{
	char data[4096], back[4096];
	int i, fd, peer, hose[2], file;
	off_t at;

	memset(data, 'z', sizeof(data));
	file = syscall(SYS_memfd_create, "vfs", 0);
	ASSERT_LE(0, file);
	ASSERT_EQ(sizeof(data), write(file, data, sizeof(data)));
	for (i = 0; i < PAIRS; i++) {
		fd = self->pair[i].fd;
		peer = self->pair[i].peer;
		at = 0;
		ASSERT_EQ(sizeof(data), sendfile(fd, file, &at, sizeof(data)));
		ASSERT_EQ(sizeof(back), recv(peer, back, sizeof(back),
					     MSG_WAITALL));
		EXPECT_EQ(0, memcmp(data, back, sizeof(data)));
		ASSERT_EQ(0, pipe(hose));
		ASSERT_EQ(100, write(peer, data, 100));
		ASSERT_EQ(100, splice(fd, NULL, hose[1], NULL, 100, 0));
		ASSERT_EQ(100, splice(hose[0], NULL, fd, NULL, 100, 0));
		ASSERT_EQ(100, recv(peer, back, 100, MSG_WAITALL));
		close(hose[0]);
		close(hose[1]);
	}
	close(file);
}

TEST_F(vfs, zerocopy)
{
	int i, fd, on = 1;
	char byte;

	for (i = 0; i < PAIRS; i++) {
		struct msghdr msg = { 0 };
		char control[128];

		fd = self->pair[i].fd;
		ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on,
					sizeof(on)));
		ASSERT_EQ(1, send(fd, "z", 1, MSG_ZEROCOPY));
		ASSERT_EQ(1, read(self->pair[i].peer, &byte, 1));
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		EXPECT_TRUE(until(!recvmsg(fd, &msg, MSG_ERRQUEUE)));
	}
}

TEST_F(vfs, ktls)
{
	int i, err[PAIRS];

	for (i = 0; i < PAIRS; i++)
		err[i] = setsockopt(self->pair[i].fd, SOL_TCP, TCP_ULP, "tls",
				    sizeof("tls")) ? errno : 0;
	if (err[PLAIN] == ENOENT)
		SKIP(return, "the kernel has no TLS");
	EXPECT_EQ(0, err[PLAIN]);
	EXPECT_EQ(err[PLAIN], err[AGAIN]);
}

TEST_F(vfs, epoll)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP };
	int i, ep = epoll_create1(0);
	char byte;

	ASSERT_LE(0, ep);
	for (i = 0; i < PAIRS; i++) {
		ev.data.fd = i;
		ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->pair[i].fd,
				       &ev));
	}
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(1, write(self->pair[i].peer, "e", 1));
		ASSERT_EQ(1, epoll_wait(ep, &ev, 1, PATIENCE_MS));
		EXPECT_EQ(i, ev.data.fd);
		EXPECT_EQ(EPOLLIN, ev.events);
		ASSERT_EQ(1, read(self->pair[i].fd, &byte, 1));
		EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	}
	/* Closing takes it out; the next one is not in. */
	pair_close(&self->pair[AGAIN]);
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0,
				&self->pair[AGAIN]));
	ASSERT_EQ(1, write(self->pair[AGAIN].peer, "e", 1));
	ASSERT_TRUE(until(sock_wait(self->pair[AGAIN].fd, POLLIN, 0)));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	close(ep);
}

TEST_F(vfs, io_uring)
{
	int i, sent;
	char byte;

	for (i = 0; i < PAIRS; i++) {
		sent = uring_send_zerocopy(self->pair[i].fd);
		if (sent == -ENOSYS)
			SKIP(return, "no io_uring");
		ASSERT_EQ(1, sent);
		ASSERT_EQ(1, read(self->pair[i].peer, &byte, 1));
	}
}

TEST_F(vfs, inotify)
{
	int i, wd, in = inotify_init1(IN_NONBLOCK);
	ssize_t n[PAIRS];
	char path[64], buf[PAIRS][4096];

	ASSERT_LE(0, in);
	for (i = 0; i < PAIRS; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d",
			 self->pair[i].fd);
		wd = inotify_add_watch(in, path, IN_ALL_EVENTS);
		ASSERT_LE(0, wd);
		ASSERT_EQ(0, fchmod(self->pair[i].fd, 0700));
		close(self->pair[i].fd);
		self->pair[i].fd = -1;
		n[i] = read(in, buf[i], sizeof(buf[i]));
		for (ssize_t at = 0; at < n[i];) {
			struct inotify_event *e = (void *)(buf[i] + at);

			EXPECT_EQ(wd, e->wd);
			e->wd = 0;
			at += sizeof(*e) + e->len;
		}
		EXPECT_EQ(0, inotify_rm_watch(in, wd));
		while (read(in, path, sizeof(path)) > 0)
			;
	}
	ASSERT_LT(0, n[PLAIN]);
	ASSERT_EQ(n[PLAIN], n[AGAIN]);
	EXPECT_EQ(0, memcmp(buf[PLAIN], buf[AGAIN], n[PLAIN]));
	close(in);
}

/* flock() leaves something on the inode that the kernel frees with it. */
TEST_F(vfs, flock)
{
	uint64_t changed = count(FSK_STAT_VFS_CHANGED);
	struct flock lock = { .l_type = F_WRLCK };
	struct pair pair;
	int i, res[PAIRS];

	for (i = 0; i < PAIRS; i++)
		res[i] = fcntl(self->pair[i].fd, F_SETLK, &lock);
	EXPECT_EQ(res[PLAIN], res[AGAIN]);
	pair_close(&self->pair[AGAIN]);
	for (i = 0; i < ROUNDS_MAX; i++) {
		ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
		if (count(FSK_STAT_VFS_CHANGED) > changed)
			break;
		pair_close(&pair);
	}
	EXPECT_LT(changed, count(FSK_STAT_VFS_CHANGED));
	self->pair[AGAIN] = pair;
}

static uint64_t hint_of(int fd)
{
	uint64_t hint = 99;

	return fcntl(fd, F_GET_RW_HINT, &hint) ? 99 : hint;
}

/* What an owner has set by fcntl() the next one doesn't have. */
TEST_F(vfs, fcntl__ends_with_close)
{
	uint64_t hint = 4, reused = count(FSK_STAT_VFS_REUSE);
	struct pair pair;
	int i;

	pair_close(&self->pair[AGAIN]);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0, &pair));
		EXPECT_EQ(0, hint_of(pair.fd));
		EXPECT_EQ(0, fcntl(pair.fd, F_GETOWN));
		EXPECT_EQ(0, fcntl(pair.fd, F_GETSIG));
		EXPECT_EQ(fcntl(self->pair[PLAIN].fd, F_GETFL),
			  fcntl(pair.fd, F_GETFL));
		ASSERT_EQ(0, fcntl(pair.fd, F_SET_RW_HINT, &hint));
		ASSERT_EQ(0, fcntl(pair.fd, F_SETOWN, getpid()));
		ASSERT_EQ(0, fcntl(pair.fd, F_SETSIG, SIGCONT));
		ASSERT_EQ(0, fcntl(pair.fd, F_SETFL,
				   O_ASYNC | O_APPEND | O_NONBLOCK));
		pair_close(&pair);
	}
	EXPECT_LE(reused + 20, count(FSK_STAT_VFS_REUSE));
	ASSERT_EQ(0, pair_again(&self->trial, self->lfd, 0,
				&self->pair[AGAIN]));
}

/* Who sees it from outside */

static bool shown(const char *command, const char *want)
{
	char line[1024];
	bool found = false;
	FILE *f = popen(command, "r");

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (strstr(line, want))
			found = true;
	pclose(f);
	return found;
}

TEST_F(vfs, ss_lsof)
{
	char command[128], want[64];
	int i, fd;

	for (i = 0; i < PAIRS; i++) {
		fd = self->pair[i].fd;
		snprintf(command, sizeof(command), "ss -Htnp sport = :%d",
			 self->port);
		snprintf(want, sizeof(want), "pid=%d,fd=%d)", getpid(), fd);
		EXPECT_TRUE(shown(command, want));
		snprintf(want, sizeof(want), "ino:%lu ",
			 (unsigned long)ino_of(fd));
		snprintf(command, sizeof(command), "ss -Htne sport = :%d",
			 self->port);
		EXPECT_TRUE(shown(command, want));
		if (access("/usr/bin/lsof", X_OK))
			SKIP(return, "no lsof");
		snprintf(command, sizeof(command),
			 "lsof -nP -p %d -a -d %d 2>/dev/null", getpid(), fd);
		EXPECT_TRUE(shown(command, "(ESTABLISHED)"));
	}
}

/* In what a checkpoint looks at: the process's table and the kernel's. */
TEST_F(vfs, same_socket)
{
	int i, copy;

	for (i = 0; i < PAIRS; i++) {
		copy = dup(self->pair[i].fd);
		EXPECT_EQ(0, syscall(SYS_kcmp, getpid(), getpid(), 0,
				     self->pair[i].fd, copy));
		close(copy);
	}
	EXPECT_NE(0, syscall(SYS_kcmp, getpid(), getpid(), 0,
			     self->pair[PLAIN].fd, self->pair[AGAIN].fd));
}

/* How it ends */

enum { BY_EXIT, BY_KILL, BY_EXEC, BY_CLOSE_RANGE, BY_SHUTDOWN, WAYS };

static void leave(int fd, int way)
{
	switch (way) {
	case BY_KILL:
		raise(SIGKILL);
		break;
	case BY_EXEC:
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		execlp("sleep", "sleep", "1000", NULL);
		break;
	case BY_CLOSE_RANGE:
		syscall(SYS_close_range, fd, fd, 0);
		pause();
		break;
	case BY_SHUTDOWN:
		shutdown(fd, SHUT_RDWR);
		pause();
		break;
	}
	_exit(0);
}

TEST_F(vfs, ends)
{
	struct pair pair;
	int way, i;
	pid_t pid;

	for (way = 0; way < WAYS; way++) {
		for (i = 0; i < PAIRS; i++) {
			ASSERT_EQ(0, i == PLAIN ?
				  pair_plain(&self->trial, self->lfd, &pair) :
				  pair_again(&self->trial, self->lfd, 0,
					     &pair));
			pid = fork_child();
			if (!pid)
				leave(pair.fd, way);
			close(pair.fd);
			EXPECT_TRUE(until(ended(pair.peer)));
			end(pid);
			sock_reset(pair.peer);
		}
	}
}

TEST_HARNESS_MAIN
