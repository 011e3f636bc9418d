//! The map of models, kept current in the background, so that no request waits for the database to know its model.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::ModelMap;
use crate::store::{Database, FollowTask, Followed, Look};

/// How often the database is asked for the map.
pub const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The map as it was last read; cheap to clone.
#[derive(Clone, Debug)]
pub struct Models {
    map: Followed<ModelMap>,
}

impl Models {
    /// Starts to look. `every`: how often, while the database answers.
    pub fn start(database: Database, every: Duration) -> (Self, FollowTask) {
        let read = move || {
            let database = database.clone();
            async move { database.models().await }
        };
        // What has been said of them; at every look it would be too much.
        let mut told = Vec::new();
        let make = move |rows| {
            let (map, wrong) = ModelMap::of(rows);
            if wrong != told {
                for what in &wrong {
                    tracing::error!(what, "a row of model_map cannot be used");
                }
                told = wrong;
            }
            Some(map)
        };
        let (map, task) = Followed::start("the map of models", ModelMap::default(), every, read, make);
        (Self { map }, task)
    }

    /// The map. It stays as it was while the database is away, and is empty if it has been away from the start.
    pub fn current(&self) -> Arc<ModelMap> {
        self.map.current()
    }

    /// The same, for who may not know of this module.
    pub fn followed(&self) -> Followed<ModelMap> {
        self.map.clone()
    }

    /// Has the map read now, because it has changed.
    pub fn look_now(&self) -> Look {
        self.map.look_now()
    }

    /// Waits for the end of the first look, however it went: a few seconds at the most. The first requests after a start
    /// would otherwise be served by another model than those that follow.
    pub async fn first_look(&self) {
        self.map.first_look().await;
    }
}
