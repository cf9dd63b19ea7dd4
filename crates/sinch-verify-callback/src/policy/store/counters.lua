-- What `counter.rs` does in memory, in Redis: the two must change together.
--
-- A key holds numbers, joined by commas: when they stop counting, then a rule's state, or what is remembered of
-- a verification. KEYS: the verification, then the state of each rule that applies. ARGV: what to do, the time,
-- the cost, how long the verification is remembered while it goes ahead and once it has ended, then seven
-- values for each rule: its place, its kind, 1 if it is enforced, three parameters, and pauses. Times are
-- microseconds; all numbers stay far below 2^53, up to which doubles are exact.
local FIXED, EACH = 5, 7
local HOUR = 3600000000
local op, now, cost = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local pending_for, ended_for = tonumber(ARGV[4]), tonumber(ARGV[5])

local function numbers(text)
  local list = {}
  for number in string.gmatch(text or '', '%d+') do list[#list + 1] = tonumber(number) end
  return list
end

local function write(key, untl, list)
  if #list == 0 or untl <= now then return redis.call('DEL', key) end
  local texts = { string.format('%.0f', untl) }
  for at, number in ipairs(list) do texts[at + 1] = string.format('%.0f', number) end
  -- A minute longer than it counts: a clock may be set back a little.
  return redis.call('SET', key, table.concat(texts, ','), 'PX', math.ceil((untl - now) / 1000) + 60000)
end

-- The numbers behind the first, unless they no longer count; and whether they are to be written again.
local function read(text, lifetime)
  local list = numbers(text)
  local untl = table.remove(list, 1) or 0
  if untl <= now then return {}, #list > 0 end
  return list, untl > now + lifetime
end

local function pause(pauses, count)
  return pauses[math.max(1, math.min(count, #pauses))]
end

-- Drops the times behind the first `fixed` numbers that are older than `window`.
local function retain_window(state, fixed, window)
  local kept, changed = {}, false
  for at, number in ipairs(state) do
    if at > fixed and number > now then number, changed = now, true end
    if at <= fixed or number + window > now then kept[#kept + 1] = number end
  end
  return kept, changed or #kept < #state
end

local function clamp(state, at, most)
  if state[at] and state[at] > most then
    state[at] = most
    return true
  end
  return false
end

-- For each kind: refresh gives a fresh state, and whether it differs; the others change one, which they give.
local log = {
  lifetime = function(rule) return rule.b end,
  refresh = function(rule, state) return retain_window(state, 0, rule.b) end,
  denies = function(rule, state) return #state >= rule.a and state[#state - rule.a + 1] + rule.b or 0 end,
  take = function(_, state) state[#state + 1] = now return state end,
  give_back = function(_, state, at)
    for place, time in ipairs(state) do
      if time == at then table.remove(state, place) break end
    end
    return state
  end,
  expires = function(rule, state) return state[#state] + rule.b end,
}

local rate = {
  lifetime = function(rule) return rule.a * rule.b end,
  refresh = function(rule, state) return state, clamp(state, 1, now + rule.a * rule.b) end,
  denies = function(rule, state) return math.max(0, (state[1] or 0) - (rule.a - 1) * rule.b) end,
  take = function(rule, state) return { math.max(state[1] or now, now) + rule.b } end,
  give_back = function(rule, state, at)
    local left = math.max(0, rule.b - math.max(0, now - at))
    if state[1] then state[1] = math.max(0, state[1] - left) end
    return state
  end,
  expires = function(_, state) return state[1] end,
}

local cooldown = {
  lifetime = function(rule) return math.max(rule.a, rule.longest) end,
  refresh = function(_, state) return state, clamp(state, 1, now) end,
  denies = function(rule, state) return state[1] and state[1] + pause(rule.pauses, state[2]) or 0 end,
  take = function(_, state) return { now, (state[2] or 0) + 1, state[1] or 0 } end,
  give_back = function(_, state, at)
    if not state[1] or state[2] == 1 then return {} end
    if state[1] == at then state[1] = state[3] end
    state[2] = state[2] - 1
    return state
  end,
  expires = function(rule) return now + math.max(rule.a, rule.longest) end,
}

local lockout = {
  lifetime = function(rule) return rule.longest + rule.b end,
  refresh = function(rule, state)
    local blocked = clamp(state, 1, now + rule.longest)
    local kept, changed = retain_window(state, 2, rule.b)
    return kept, blocked or changed
  end,
  denies = function(_, state) return state[1] or 0 end,
  take = function(_, state) return state end,
  give_back = function(_, state) return state end,
  settle = function(rule, state, _, success)
    if success then return state end
    if #state == 0 then state = { 0, 0 } end
    state[#state + 1] = now
    if #state - 2 < rule.a then return state end
    local blocks = state[2] + 1
    return { now + pause(rule.pauses, blocks), blocks }
  end,
  expires = function(rule, state) return math.max(state[1], now) + rule.b end,
}

-- a: samples, b: the floor in percent and the number of outcomes that are looked at, c: when it is forgotten.
local conversion = {
  lifetime = function(rule) return rule.longest + rule.c end,
  refresh = function(rule, state)
    local blocked = clamp(state, 1, now + rule.longest)
    local moved = clamp(state, 4, now)
    return state, blocked or moved
  end,
  denies = function(_, state) return state[1] or 0 end,
  take = function(rule, state)
    if #state > 0 and state[2] > 0 then
      state[3] = state[3] + 1
      if state[3] >= rule.a then
        state[3] = 0
        state[1] = now + pause(rule.pauses, state[2])
      end
    end
    return state
  end,
  give_back = function(_, state)
    if #state > 0 and state[2] > 0 then state[3] = math.max(0, state[3] - 1) end
    return state
  end,
  settle = function(rule, state, at, success)
    local floor, last = math.floor(rule.b / 100), rule.b % 100
    if #state == 0 then state = { 0, 0, 0, 0, 0, 0 } end
    local blocks, since = state[2], state[4]
    if blocks > 0 and at <= since then return state end
    local len = math.min(state[5] + 1, last)
    local bits = (state[6] * 2 + (success and 1 or 0)) % 2 ^ last
    if len < rule.a then return { state[1], blocks, state[3], since, len, bits } end
    local successes, rest = 0, bits
    while rest > 0 do
      successes = successes + rest % 2
      rest = math.floor(rest / 2)
    end
    if successes * 100 < floor * len then
      return { now + pause(rule.pauses, blocks + 1), blocks + 1, 0, now, 0, 0 }
    end
    return { 0, 0, 0, since, len, bits }
  end,
  expires = function(rule, state) return math.max(state[1], now) + rule.c end,
}

-- a: the limit, b: the start of the period, c: its end.
local budget = {
  lifetime = function(rule) return tonumber(rule.pauses[1]) end,
  refresh = function(rule, state)
    if state[1] and state[1] < rule.b then return {}, true end
    if state[1] and state[1] > rule.c then
      state[1] = rule.b
      return state, true
    end
    return state, false
  end,
  denies = function(rule, state) return (state[2] or 0) + cost > rule.a and rule.c or 0 end,
  take = function(rule, state) return { state[1] or rule.b, (state[2] or 0) + cost } end,
  give_back = function(_, state, at)
    if state[1] and at >= state[1] then state[2] = math.max(0, state[2] - cost) end
    return state
  end,
  expires = function(rule) return rule.c + HOUR end,
}

local kinds = {
  log = log, rate = rate, cooldown = cooldown, lockout = lockout, conversion = conversion, budget = budget,
}

local values = redis.call('MGET', unpack(KEYS))
local known = read(values[1], math.huge)
local rules = {}
for at = 2, #KEYS do
  local base = FIXED + (at - 2) * EACH
  local rule = {
    key = KEYS[at], place = tonumber(ARGV[base + 1]), kind = kinds[ARGV[base + 2]],
    enforced = ARGV[base + 3] == '1', a = tonumber(ARGV[base + 4]), b = tonumber(ARGV[base + 5]),
    c = tonumber(ARGV[base + 6]), pauses = numbers(ARGV[base + 7]), longest = 0,
  }
  for _, length in ipairs(rule.pauses) do rule.longest = math.max(rule.longest, length) end
  local state, late = read(values[at], rule.kind.lifetime(rule))
  rule.state, rule.changed = rule.kind.refresh(rule, state)
  rule.changed = rule.changed or late
  rules[#rules + 1] = rule
end

local function store(rule, state)
  write(rule.key, #state > 0 and rule.kind.expires(rule, state) or 0, state)
end

local function took(taken, rule)
  return math.floor(taken / 2 ^ rule.place) % 2 == 1
end

if op == 'take' then
  -- Repeated, the place of the rule that denies and until when, and the same of rules that only observe.
  if #known == 2 then return { 1, known[1], known[2] } end
  if #known > 0 then return { 1, -1, 0 } end
  local answer, taken = { 0, -1, 0 }, 0
  for _, rule in ipairs(rules) do
    local untl = rule.kind.denies(rule, rule.state)
    if untl <= now then
      taken = taken + 2 ^ rule.place
    elseif not rule.enforced then
      answer[#answer + 1] = rule.place
      answer[#answer + 1] = untl
    elseif answer[2] < 0 then
      answer[2], answer[3] = rule.place, untl
    end
  end
  local is_allowed = answer[2] < 0
  for _, rule in ipairs(rules) do
    if is_allowed and took(taken, rule) then
      local before = #rule.state
      local state = rule.kind.take(rule, rule.state)
      if rule.changed or before > 0 or #state > 0 then store(rule, state) end
    elseif rule.changed then
      -- Or a time would lie in the future for as long as the clock was ahead.
      store(rule, rule.state)
    end
  end
  if is_allowed then
    write(KEYS[1], now + pending_for, { now, cost, taken })
  else
    write(KEYS[1], now + ended_for, { answer[2], answer[3] })
  end
  return answer
end

-- denied, success or failure
if #known ~= 3 then return { 0, 0 } end
local at, taken = known[1], known[3]
cost = known[2]
for _, rule in ipairs(rules) do
  if took(taken, rule) then
    local before = #rule.state
    local state = rule.state
    if op == 'denied' then
      state = rule.kind.give_back(rule, state, at)
    elseif rule.kind.settle then
      state = rule.kind.settle(rule, state, at, op == 'success')
    end
    if rule.changed or before > 0 or #state > 0 then store(rule, state) end
  end
end
if op == 'denied' then
  redis.call('DEL', KEYS[1])
else
  write(KEYS[1], now + ended_for, { at })
end
return { 1, cost }
