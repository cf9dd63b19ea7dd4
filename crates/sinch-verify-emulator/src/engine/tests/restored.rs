//! An engine that continues from what was saved.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde::Deserialize;

use super::{APPLICATIONS, Step, World, step};
use crate::engine::{AppId, Engine, Part, ReaderId, SavedEngine, SavedVerification, Uid};
use crate::settings::Settings;

/// A copy of an engine, in the form in which it is kept in a file.
struct Copy {
    reader: ReaderId,
    lines: Vec<u8>,
    state: Option<SavedEngine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Verification(SavedVerification),
    Dropped(Uid),
}

impl Copy {
    fn of(engine: &mut Engine) -> Self {
        Self {
            reader: engine.subscribe(),
            lines: Vec::new(),
            state: None,
        }
    }

    /// Reads the next part. Returns whether the copy is complete.
    fn read(&mut self, engine: &mut Engine) -> bool {
        match engine.write_part(self.reader, &mut self.lines).unwrap() {
            Part::StartOver => self.lines.clear(),
            Part::Some => {}
            Part::Last => {
                self.state = Some(engine.saved());
                return true;
            }
        }
        false
    }

    fn restored(&self, settings: &Arc<Settings>) -> Engine {
        let mut latest: HashMap<Uid, SavedVerification> = HashMap::new();
        for line in self
            .lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            match serde_json::from_slice(line).unwrap() {
                Line::Verification(verification) => drop(latest.insert(verification.uid(), verification)),
                Line::Dropped(uid) => drop(latest.remove(&uid)),
            }
        }
        let applications: Vec<_> = (0..APPLICATIONS).map(AppId).collect();
        let state = serde_json::to_string(self.state.as_ref().unwrap()).unwrap();
        Engine::restored(
            Arc::clone(settings),
            serde_json::from_str(&state).unwrap(),
            latest.into_values().collect(),
            &applications,
        )
    }
}

/// Few are kept, so that much is dropped.
fn few_kept() -> Settings {
    Settings {
        verifications_kept: 4,
        inbox_kept: 2,
        ..Settings::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_restored_engine_continues_as_the_saved_one(
        seed: u64,
        steps in prop::collection::vec((step(), any::<bool>()), 1..60),
        after in prop::collection::vec(step(), 1..30),
    ) {
        let settings = few_kept();
        let mut world = World::with(seed, settings.clone());
        let mut copy = Copy::of(&mut world.engine);
        for (step, is_saved) in &steps {
            world.take_unchecked(step);
            if *is_saved {
                copy.read(&mut world.engine);
            }
        }
        while !copy.read(&mut world.engine) {}
        let mut other = World::with(seed, settings);
        for (step, _) in &steps {
            other.take_unchecked(step);
        }
        other.engine = copy.restored(&other.settings);
        prop_assert!(other.engine.is_byte_count_correct());
        for step in after.iter().chain([&Step::Wait { millis: 360_000 }]) {
            world.take_unchecked(step);
            other.take_unchecked(step);
            prop_assert_eq!(&world.journal, &other.journal);
        }
        prop_assert_eq!(other.engine.next_deadline(), None);
    }
}
