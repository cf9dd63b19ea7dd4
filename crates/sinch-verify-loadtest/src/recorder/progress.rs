use super::Phase;

/// How far a run is, and whether the user ended it before its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    pub(super) phase: Phase,
    /// Whether the end was asked for once.
    asked: bool,
    /// Whether asking for it changed anything.
    pub(super) interrupted: bool,
}

impl Progress {
    pub(super) const START: Self = Self {
        phase: Phase::Running,
        asked: false,
        interrupted: false,
    };

    /// Goes on to `phase`; says whether that is further.
    pub(super) fn reach(&mut self, phase: Phase) -> bool {
        let further = self.phase < phase;
        self.phase = phase.max(self.phase);
        further
    }

    /// Goes on to `phase` before its time; says whether that is further.
    pub(super) fn cut(&mut self, phase: Phase) -> bool {
        let further = self.reach(phase);
        self.interrupted |= further;
        further
    }

    /// The user asks for the end: no flow begins any more. Asked for again, those under way are cut
    /// off. To ask once when they are finishing anyway changes nothing.
    pub(super) fn ask(&mut self) -> bool {
        let again = std::mem::replace(&mut self.asked, true);
        match self.phase {
            Phase::Running => self.cut(Phase::Draining),
            Phase::Draining if again => self.cut(Phase::Stopped),
            Phase::Draining | Phase::Stopped => false,
        }
    }
}
