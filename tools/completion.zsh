#compdef fastsocket
# SPDX-License-Identifier: MIT
#
# Completion of fastsocket's command line in zsh: what bash offers.

local ask='. "$0" && _fastsocket_print "$@"'
local -a found

found=(${(f)"$(bash -c $ask @BASH_FILE@ \
	"${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)"})
# No blank comes after "=".
compadd -S '' -- ${(M)found:#*=}
compadd -- ${found:#*=}
