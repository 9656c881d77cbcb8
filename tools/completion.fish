# SPDX-License-Identifier: MIT
#
# Completion of fastsocket's command line in fish: what bash offers.

function __fastsocket
    set -l ask '. "$0" && _fastsocket_print "$@"'
    bash -c $ask @BASH_FILE@ \
        (commandline -opc) "$(commandline -ct)" 2>/dev/null
end

complete -c fastsocket -f -a '(__fastsocket)'
