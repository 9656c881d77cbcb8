-- SPDX-License-Identifier: GPL-2.0
--
-- For wrk: a connection per request, until NUMBER of them have been answered.
--   wrk -s short.lua ... URL -- NUMBER FILE
-- wrk itself would wait for the end of its time: FILE appears when it is done.

local answers = 0
local limit, file

wrk.headers["Connection"] = "close"

function init(args)
	limit = tonumber(args[1])
	file = args[2]
end

function response()
	answers = answers + 1
	if answers == limit then
		io.open(file, "w"):close()
		wrk.thread:stop()
	end
end
