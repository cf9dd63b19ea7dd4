//! What a rule counts for one key: a few numbers, and how they change.
//!
//! A state is a list of integers, empty at first, so that memory and Redis keep the same. Times are
//! microseconds since 1970, amounts millionths. `store/counters.lua` does the same in Redis: the two must
//! change together, and the tests run both on the same events.
//!
//! A time that lies in the future counts as now: a clock that is set back delays nothing for longer than the
//! rule itself would.

use smallvec::SmallVec;

use super::period::{HOUR, Micros};
use super::rules::Period;

/// What is counted for a key. Most states have few numbers, which need no memory of their own.
pub(super) type State = SmallVec<[u64; 3]>;

/// A rule, as far as it counts.
#[derive(Clone, Debug)]
pub(super) enum Counter {
    /// At most `limit` starts in any span of `window`. State: the times of the starts.
    Log { limit: usize, window: Micros },
    /// The generic cell rate algorithm: `burst` starts at once, and one more in each `interval`.
    /// State: when all starts so far have been refilled.
    Rate { burst: u64, interval: Micros },
    /// The time between two starts. State: the last start, the number of starts, the start before the last.
    Cooldown { pauses: Box<[Micros]>, forget: Micros },
    /// Blocks after `failures` in `window`. State: blocked until, the number of blocks, the times of failures.
    Lockout {
        failures: usize,
        window: Micros,
        pauses: Box<[Micros]>,
    },
    /// Blocks when fewer than `floor` percent of the last verifications succeeded. State: blocked until, the
    /// number of blocks, the starts since the last block, when that began, the number of outcomes, and the
    /// outcomes as bits, the newest the lowest.
    Conversion {
        last: u32,
        samples: u64,
        floor: u64,
        pauses: Box<[Micros]>,
        forget: Micros,
    },
    /// At most `limit` in each period. State: when the period began, and what was spent in it.
    Budget { limit: u64, period: Period },
}

impl Counter {
    /// Brings a state to `now`: drops what no longer counts, and moves times that lie in the future. Says whether
    /// it changed anything.
    pub(super) fn refresh(&self, state: &mut State, now: Micros) -> bool {
        if state.is_empty() {
            return false;
        }
        match self {
            Self::Log { window, .. } => retain_window(state, 0, *window, now),
            Self::Rate { burst, interval } => lower(&mut state[0], now + burst * interval),
            Self::Cooldown { .. } => lower(&mut state[0], now),
            Self::Lockout { window, pauses, .. } => {
                let is_changed = lower(&mut state[0], now + longest(pauses));
                retain_window(state, 2, *window, now) || is_changed
            }
            Self::Conversion { pauses, .. } => {
                let is_changed = lower(&mut state[0], now + longest(pauses));
                lower(&mut state[3], now) || is_changed
            }
            Self::Budget { period, .. } => {
                let (start, end) = period.around(now);
                if state[0] < start {
                    state.clear();
                    return true;
                }
                // Not the next period, which the clock of another receiver may have reached.
                state[0] > end && lower(&mut state[0], start)
            }
        }
    }

    /// Until when the rule denies a start of `cost`. The state must be fresh.
    pub(super) fn denies_until(&self, state: &[u64], now: Micros, cost: u64) -> Option<Micros> {
        let until = match (self, state) {
            (Self::Log { limit, window }, times) => {
                let leaves = times.len().checked_sub(*limit)?;
                times[leaves] + window
            }
            (Self::Budget { limit, period }, _) => {
                let spent = state.get(1).copied().unwrap_or_default();
                let fits = spent.saturating_add(cost) <= *limit;
                if fits { 0 } else { period.around(now).1 }
            }
            (_, []) => 0,
            (Self::Rate { burst, interval }, _) => state[0].saturating_sub((burst - 1) * interval),
            (Self::Cooldown { pauses, .. }, _) => state[0] + pause(pauses, state[1]),
            (Self::Lockout { .. } | Self::Conversion { .. }, _) => state[0],
        };
        (until > now).then_some(until)
    }

    /// Counts a start that goes ahead.
    pub(super) fn take(&self, state: &mut State, now: Micros, cost: u64) {
        match self {
            Self::Log { .. } => push(state, now),
            Self::Rate { interval, .. } => {
                let refilled = state.first().map_or(now, |&refilled| refilled.max(now));
                replace(state, &[refilled + interval]);
            }
            Self::Cooldown { .. } => {
                let (last, count) = (first(state), state.get(1).copied().unwrap_or_default());
                replace(state, &[now, count + 1, last]);
            }
            Self::Lockout { .. } => {}
            Self::Conversion { samples, pauses, .. } => {
                if let [until, blocks @ (1..), starts, ..] = &mut state[..] {
                    *starts += 1;
                    if *starts >= *samples {
                        // So many try it out; then it is blocked again until they have converted.
                        *starts = 0;
                        *until = now + pause(pauses, *blocks);
                    }
                }
            }
            Self::Budget { period, .. } => match &mut state[..] {
                [_, spent] => *spent = spent.saturating_add(cost),
                _ => replace(state, &[period.around(now).0, cost]),
            },
        }
    }

    /// Takes back a start that was counted at `at`. The state must be fresh.
    pub(super) fn give_back(&self, state: &mut State, at: Micros, now: Micros, cost: u64) {
        match self {
            Self::Log { .. } => {
                if let Some(place) = state.iter().position(|&time| time == at) {
                    state.remove(place);
                }
            }
            Self::Rate { interval, .. } => {
                // Not what has been refilled since, or the bound would not hold.
                let left = interval.saturating_sub(now.saturating_sub(at));
                if let [refilled] = &mut state[..] {
                    *refilled -= left.min(*refilled);
                }
            }
            Self::Cooldown { .. } => match &mut state[..] {
                [_, 1, _] => state.clear(),
                [last, count, before] => {
                    *count -= 1;
                    if *last == at {
                        *last = *before;
                    }
                }
                _ => {}
            },
            Self::Lockout { .. } => {}
            Self::Conversion { .. } => {
                if let [_, (1..), starts, ..] = &mut state[..] {
                    *starts = starts.saturating_sub(1);
                }
            }
            Self::Budget { .. } => {
                if let [start, spent] = &mut state[..]
                    && at >= *start
                {
                    *spent = spent.saturating_sub(cost);
                }
            }
        }
    }

    /// Counts how a verification ended that was started at `at`. The state must be fresh.
    pub(super) fn settle(&self, state: &mut State, at: Micros, now: Micros, is_success: bool) {
        match self {
            Self::Lockout { failures, pauses, .. } if !is_success => {
                if state.is_empty() {
                    replace(state, &[0, 0]);
                }
                push(state, now);
                if state.len() - 2 >= *failures {
                    let blocks = state[1] + 1;
                    replace(state, &[now + pause(pauses, blocks), blocks]);
                }
            }
            Self::Conversion {
                last,
                samples,
                floor,
                pauses,
                ..
            } => {
                if state.is_empty() {
                    replace(state, &[0; 6]);
                }
                let [_, blocks, starts, since, len, bits] = state[..] else {
                    return;
                };
                // What was started before the last block says nothing about the time after it.
                if blocks > 0 && at <= since {
                    return;
                }
                let len = (len + 1).min(u64::from(*last));
                let bits = (bits << 1 | u64::from(is_success)) & ((1 << last) - 1);
                let is_low = u64::from(bits.count_ones()) * 100 < floor * len;
                let next = if len < *samples {
                    [state[0], blocks, starts, since, len, bits]
                } else if is_low {
                    [now + pause(pauses, blocks + 1), blocks + 1, 0, now, 0, 0]
                } else {
                    [0, 0, 0, since, len, bits]
                };
                replace(state, &next);
            }
            _ => {}
        }
    }

    /// When a state that was changed at `now` no longer counts.
    pub(super) fn expires(&self, state: &[u64], now: Micros) -> Micros {
        match self {
            Self::Log { window, .. } => state.last().map_or(0, |last| last + window),
            Self::Rate { .. } => first(state),
            Self::Cooldown { pauses, forget } => now + (*forget).max(longest(pauses)),
            Self::Lockout { window, .. } => first(state).max(now) + window,
            Self::Conversion { forget, .. } => first(state).max(now) + forget,
            // Longer than the period: a clock may be set back.
            Self::Budget { period, .. } => period.around(now).1 + HOUR,
        }
    }

    /// The longest that any state counts from now on.
    pub(super) fn lifetime(&self) -> Micros {
        match self {
            Self::Log { window, .. } => *window,
            Self::Rate { burst, interval } => burst * interval,
            Self::Cooldown { pauses, forget } => (*forget).max(longest(pauses)),
            Self::Lockout { window, pauses, .. } => longest(pauses) + window,
            Self::Conversion { pauses, forget, .. } => longest(pauses) + forget,
            Self::Budget { period, .. } => period.longest() + HOUR,
        }
    }
}

/// Drops the times behind the first `fixed` numbers that are older than `window`.
fn retain_window(state: &mut State, fixed: usize, window: Micros, now: Micros) -> bool {
    let mut is_changed = false;
    for time in &mut state[fixed..] {
        is_changed |= lower(time, now);
    }
    let old = state[fixed..].partition_point(|time| time + window <= now);
    state.drain(fixed..fixed + old);
    is_changed || old > 0
}

fn lower(time: &mut Micros, most: Micros) -> bool {
    let is_later = *time > most;
    *time = most.min(*time);
    is_later
}

/// The pause after the `count`th time; the last pause stands for all later ones.
fn pause(pauses: &[Micros], count: u64) -> Micros {
    let place = usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    pauses
        .get(place)
        .or_else(|| pauses.last())
        .copied()
        .unwrap_or_default()
}

fn longest(pauses: &[Micros]) -> Micros {
    pauses.iter().copied().max().unwrap_or_default()
}

fn first(state: &[u64]) -> u64 {
    state.first().copied().unwrap_or_default()
}

/// Appends without room for more: there are very many states.
fn push(state: &mut State, number: u64) {
    state.reserve_exact(1);
    state.push(number);
}

fn replace(state: &mut State, numbers: &[u64]) {
    state.clear();
    state.reserve_exact(numbers.len());
    state.extend_from_slice(numbers);
}
