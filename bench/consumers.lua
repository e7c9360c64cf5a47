-- Each request by another consumer: the tokens of BENCH_TOKENS in turn, one a line. The place in the
-- file is kept beside it, so that a later run goes on where this one stopped.
local tokens, at, path = {}, 0, os.getenv("BENCH_TOKENS") or ""

function init()
  wrk.method = os.getenv("BENCH_METHOD") or "GET"
  if path == "" then return end
  for line in io.lines(path) do tokens[#tokens + 1] = line end
  local kept = io.open(path .. ".at")
  if kept then at = tonumber(kept:read("*a")) or 0; kept:close() end
end

local sent = 0
function request()
  if #tokens == 0 then return wrk.format() end
  at = at % #tokens + 1
  sent = sent + 1
  if sent % 100 == 0 then
    local keep = io.open(path .. ".at", "w"); keep:write(tostring(at + 200)); keep:close()
  end
  wrk.headers["Authorization"] = "Bearer " .. tokens[at]
  return wrk.format()
end
