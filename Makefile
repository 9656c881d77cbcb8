# SPDX-License-Identifier: GPL-2.0
#
# Entry points; each leaves the work to a folder. `make help` lists them.

# FSK_VERSION is for a make in a root folder, which has no git.
VERSION := $(or $(FSK_VERSION),$(shell include/version))

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
UNITDIR ?= $(PREFIX)/lib/systemd/system
UNITS := fastsocket.service fastsocket-rfd.service fastsocket-tune@.service \
	fastsocket-metrics.socket fastsocket-metrics@.service
DKMS_ROOT ?= /usr/src
DKMS_FROM ?= make dkms-install
INSTALL ?= install
STRIP ?= strip

# KVER may be short ("6.12"): then the newest kernel of that series whose
# headers are here. KDIR alone is enough, too: the name is in its headers.
ifdef KDIR
kdir := $(abspath $(KDIR))
release := $(or $(KVER),$(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	$(kdir)/include/generated/utsrelease.h))
else
KVER ?= $(shell uname -r)
kdir := $(or $(wildcard /lib/modules/$(KVER)/build),$(lastword $(shell \
	ls -dv /lib/modules/$(KVER)[.+-]*/build 2>/dev/null)))
release := $(notdir $(patsubst %/build,%,$(kdir)))
endif

top := $(CURDIR)
build := $(top)/build
kbuild := $(build)/kmod/$(release)

all: module programs man

help:
	@echo "make [KVER=RELEASE | KDIR=FOLDER]  module, library, tool, manuals"
	@echo "make module | programs | man       one of these"
	@echo "make install | uninstall           PREFIX=$(PREFIX), DESTDIR="
	@echo "make install-programs | install-module  one of both"
	@echo "make dkms-install                  sources to $(DKMS_ROOT), for DKMS"
	@echo "make deb | rpm                     packages, to build/deb, build/rpm"
	@echo "make demo                          the main job, in a virtual machine"
	@echo "make check                         quick tests"
	@echo "make static                        static checks, its first step"
	@echo "make check-vm [KVER=6.1|6.12]      all tests, in virtual machines"
	@echo "make matrix                        build for many kernels, boot some"
	@echo "make configs                       build for other configurations"
	@echo "make run_tests                     all tests, on this very machine"
	@echo "make check-debug [KVER=6.1|6.12]   all tests, on debug kernels"
	@echo "make storm [SECONDS=N SEED=S KERNEL=6.1]"
	@echo "                                   everything at once, on one"
	@echo "make fuzz [CALLS=N SEED=S KERNEL=6.1]  random calls, on one"
	@echo "make faults [FAULTS=N KERNEL=6.1]  workers killed, nginx reloaded"
	@echo "make bench-sim KVER=6.12 [CPUS=16] what a connection costs, counted"
	@echo "make bench-native [CPUS=1,2,4]     how fast, on this very machine"
	@echo "make bench-connect                 what connect() costs as ports fill"
	@echo "make bench-report | bench-compare A=OLD.json B=NEW.json"
	@echo "make bench-budget KVER=6.12        fails when it costs more"
	@echo "make debug-kernel                  build the kernel for debug tests"
	@echo "make patched-kernel                build a kernel with patches/"
	@echo "make spec                          make the ABI headers again"
	@echo "make version                       what this tree calls itself"
	@echo "make clean"

# Sources of one kernel's module are links in a folder of its own, so that
# modules for several kernels stand side by side. Several makes may want the
# same one at once.
module:
	@[ -n "$(release)" ] || { echo "no kernel headers for" \
		"'$(or $(KDIR),$(KVER))': install the linux-headers package" \
		"of that kernel, or name another one," \
		"make KVER=RELEASE or KDIR=FOLDER" >&2; exit 1; }
	@mkdir -p $(kbuild)
	+@flock $(kbuild) $(MAKE) --no-print-directory __module \
		KVER=$(release) KDIR=$(kdir)

__module:
	@find $(kbuild) -xtype l -delete
	@ln -sfn ../../../include $(kbuild)/include
	@cd kmod && find . -type d -exec mkdir -p $(kbuild)/{} \;
	@cd kmod && find . -type f -exec ln -sf $(top)/kmod/{} $(kbuild)/{} \;
	@echo '$(VERSION)' | cmp -s - $(kbuild)/VERSION || \
		echo '$(VERSION)' > $(kbuild)/VERSION
	@$(MAKE) -C $(kdir) M=$(kbuild) $(KBUILD_ARGS) modules

programs:
	$(MAKE) -C lib
	$(MAKE) -C tools

man:
	$(MAKE) -C tools/man

# Without headers of the running kernel there is no module to install; a kernel
# that is named must have them.
install: install-programs
	@if [ -n "$(release)" ] || [ "$(origin KVER)" != file ]; then \
		$(MAKE) --no-print-directory install-module; \
	else \
		echo "no headers for the kernel $(KVER): installed without the" \
			"module; install its linux-headers package, then make" \
			"install-module, or make dkms-install"; \
	fi

# An administrator's own configuration stays.
conf_dir = $(DESTDIR)$(SYSCONFDIR)/fastsocket
install-programs: programs man install-completion
	$(INSTALL) -D -m 755 $(build)/fastsocket $(DESTDIR)$(PREFIX)/bin/fastsocket
	$(INSTALL) -D -m 644 $(build)/libfsocket.so \
		$(DESTDIR)$(LIBDIR)/libfsocket.so
	$(INSTALL) -D -m 644 include/uapi/linux/fastsocket.h \
		$(DESTDIR)$(PREFIX)/include/linux/fastsocket.h
	$(INSTALL) -D -m 644 $(build)/fastsocket.8 \
		$(DESTDIR)$(MANDIR)/man8/fastsocket.8
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(MANDIR)/man7 \
		$(build)/libfsocket.7 $(build)/fastsocket-options.7 \
		$(build)/fastsocket-json.7 \
		$(build)/fastsocket-placement.7
	$(INSTALL) -D -m 644 $(build)/fastsocket.conf.5 \
		$(DESTDIR)$(MANDIR)/man5/fastsocket.conf.5
	$(INSTALL) -D -m 644 include/netlink/fastsocket.yaml \
		$(DESTDIR)$(PREFIX)/share/fastsocket/fastsocket.yaml
	$(INSTALL) -d $(DESTDIR)$(UNITDIR)
	for unit in $(UNITS); do \
		sed 's,@BINDIR@,$(PREFIX)/bin,' tools/$$unit \
			> $(DESTDIR)$(UNITDIR)/$$unit || exit 1; \
	done
	$(INSTALL) -d $(conf_dir)/conf.d
	[ -e $(conf_dir)/fastsocket.conf ] || \
		$(INSTALL) -m 644 tools/fastsocket.conf $(conf_dir)
	$(if $(DESTDIR),,ldconfig)

# The other shells ask the file for bash.
bash_file := $(PREFIX)/share/bash-completion/completions/fastsocket
fish_file := $(PREFIX)/share/fish/vendor_completions.d/fastsocket.fish
zsh_file := $(ZSHDIR)/_fastsocket
install-completion:
	$(INSTALL) -D -m 644 tools/completion.bash $(DESTDIR)$(bash_file)
	for file in fish:$(fish_file) zsh:$(zsh_file); do \
		$(INSTALL) -D -m 644 tools/completion.$${file%%:*} \
			$(DESTDIR)$${file#*:} && \
		sed -i 's,@BASH_FILE@,$(bash_file),' \
			$(DESTDIR)$${file#*:} || exit 1; \
	done

# modprobe prefers updates/ to the kernel's own and to extra/, where 0.1.0 put
# the module. DKMS has a folder there, too.
module_file = $(DESTDIR)/lib/modules/$(release)/updates/fastsocket.ko
install-module: module
	$(INSTALL) -D -m 644 $(kbuild)/fastsocket.ko $(module_file)
	$(STRIP) --strip-debug $(module_file)
	rm -f $(DESTDIR)/lib/modules/$(release)/extra/fastsocket.ko
	@[ -n "$(DESTDIR)" ] || packaging/module chosen $(release) $(module_file)

uninstall_env := PREFIX=$(PREFIX) LIBDIR=$(LIBDIR) UNITDIR=$(UNITDIR)
uninstall:
	@[ -n "$(DESTDIR)" ] || $(uninstall_env) packaging/units disable
	rm -f $(DESTDIR)$(PREFIX)/bin/fastsocket \
		$(DESTDIR)$(LIBDIR)/libfsocket.so \
		$(DESTDIR)$(PREFIX)/include/linux/fastsocket.h \
		$(DESTDIR)$(PREFIX)/share/fastsocket/fastsocket.yaml \
		$(DESTDIR)$(MANDIR)/man8/fastsocket.8 \
		$(DESTDIR)$(MANDIR)/man7/libfsocket.7 \
		$(DESTDIR)$(MANDIR)/man7/fastsocket-options.7 \
		$(DESTDIR)$(MANDIR)/man7/fastsocket-json.7 \
		$(DESTDIR)$(MANDIR)/man7/fastsocket-placement.7 \
		$(DESTDIR)$(MANDIR)/man5/fastsocket.conf.5 \
		$(DESTDIR)$(bash_file) $(DESTDIR)$(fish_file) \
		$(DESTDIR)$(zsh_file) \
		$(UNITS:%=$(DESTDIR)$(UNITDIR)/%)
	! cmp -s tools/fastsocket.conf $(conf_dir)/fastsocket.conf || \
		rm $(conf_dir)/fastsocket.conf
	rmdir --ignore-fail-on-non-empty $(conf_dir)/conf.d $(conf_dir) || :
	@DESTDIR=$(DESTDIR) packaging/module remove
	@DESTDIR=$(DESTDIR) DKMS_ROOT=$(DKMS_ROOT) packaging/module forget
	@[ -n "$(DESTDIR)" ] || packaging/units forget
	$(if $(DESTDIR),,ldconfig)

# The marks in dkms.conf tell these sources from those of a package.
dkms_dir = $(DESTDIR)$(DKMS_ROOT)/fastsocket-$(VERSION)
dkms-install:
	@DESTDIR=$(DESTDIR) DKMS_ROOT=$(DKMS_ROOT) packaging/module forget
	$(INSTALL) -d $(dkms_dir)/include/uapi/linux
	$(INSTALL) -m 644 Kbuild COPYING $(dkms_dir)
	$(INSTALL) -D -m 644 -t $(dkms_dir)/kmod kmod/Kbuild kmod/*.[ch]
	$(INSTALL) -m 755 kmod/probe $(dkms_dir)/kmod
	for folder in kmod/*/; do \
		$(INSTALL) -D -m 644 -t $(dkms_dir)/$$folder \
			$$folder*.[ch] || exit 1; \
	done
	$(INSTALL) -m 644 include/uapi/linux/*.h $(dkms_dir)/include/uapi/linux
	sed 's/@VERSION@/$(VERSION)/; s/@FROM@/$(DKMS_FROM)/' \
		kmod/dkms.conf > $(dkms_dir)/dkms.conf
	echo '$(VERSION)' > $(dkms_dir)/VERSION
	@[ -n "$(DESTDIR)" ] || echo "now: dkms install fastsocket/$(VERSION)"

deb rpm:
	@packaging/$@

version:
	@echo '$(VERSION)'

spec:
	include/netlink/generate uapi > include/uapi/linux/fastsocket.h
	include/netlink/generate names > tools/names.h

demo:
	@selftests/demo

check:
	@selftests/check quick

static:
	@selftests/check static

check-vm:
	@selftests/check vm $(if $(filter command line,$(origin KVER)),$(KVER))

check-debug:
	@selftests/check debug $(if $(filter command line,$(origin KVER)),$(KVER))

storm:
	@selftests/check storm "$(SECONDS)" "$(SEED)" "$(KERNEL)"

fuzz:
	@selftests/check fuzz "$(CALLS)" "$(SEED)" "$(KERNEL)"

faults:
	@selftests/check faults "$(FAULTS)" "$(KERNEL)"

matrix:
	@selftests/matrix

configs:
	@selftests/configs

# Here, not in a virtual machine: on this kernel, with this machine's network.
run_tests: all
	@selftests/check here

# Counts in a simulated machine; what it needs is in selftests/bench/README.md.
bench-sim: module
	selftests/bench/sim --cpus $(or $(CPUS),1,2,4,8,16,24) \
		--out build/bench.json

# With the module for 6.12, whatever runs here: 6.1 can't narrow a port range.
bench-connect:
	@$(MAKE) -s --no-print-directory module KVER=6.12 >&2
	@selftests/bench/connect --out build/bench

# Times, on this very machine, as root: NATIVE="--cpus 1,2,4 ...", see
# selftests/bench/native --help.
bench-native: module
	selftests/bench/native $(if $(CPUS),--cpus $(CPUS)) $(NATIVE) \
		--out build/bench-native.json

bench-report:
	selftests/bench/report build/bench.html $(or $(RUNS),build/bench.json)

bench-compare:
	@[ -n "$(A)" ] && [ -n "$(B)" ] || { echo "make bench-compare" \
		"A=OLD.json B=NEW.json" >&2; exit 1; }
	selftests/bench/compare $(A) $(B)

bench-budget: module
	selftests/bench/budget

debug-kernel:
	@selftests/setup.sh debug
	@selftests/vm/debug-kernel

patched-kernel:
	@selftests/setup.sh patched
	@selftests/vm/patched-kernel \
		$(if $(filter command line,$(origin KVER)),$(KVER))

clean:
	rm -rf build

.PHONY: all help version module __module programs man install \
	install-programs install-completion install-module uninstall \
	dkms-install deb rpm spec demo check matrix configs static check-vm \
	check-debug storm fuzz faults run_tests debug-kernel patched-kernel \
	clean bench-sim bench-native bench-connect bench-report \
	bench-compare bench-budget
.DELETE_ON_ERROR:
