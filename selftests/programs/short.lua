-- SPDX-License-Identifier: GPL-2.0
--
-- For wrk: a connection per request, until NUMBER of them have been answered.
--   wrk -s short.lua ... URL -- NUMBER
-- wrk itself would wait for the end of its time, with connections left open: it
-- is told to report and end, as by Ctrl-C.

local answers = 0
local limit

wrk.headers["Connection"] = "close"

function init(args)
	limit = tonumber(args[1])
end

function response()
	answers = answers + 1
	if answers == limit then
		wrk.thread:stop()
		-- Not os.execute(): that ignores the signal meanwhile.
		io.popen("kill -INT $PPID"):close()
	end
end
