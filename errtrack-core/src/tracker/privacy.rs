//! What people add to the sanitizer of a project: kept in the store, read by every process, and at hand for each event.

use super::{Engine, Tracker};
use crate::{Preparer, ProjectId, StoreError, sanitize::SanitizerSettings};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// The setting that holds it.
const SANITIZER: &str = "sanitizer";

/// How the events of projects are prepared whose settings add something.
#[derive(Debug, Default)]
pub(crate) struct PreparersAtHand {
    known: RwLock<HashMap<ProjectId, Arc<Preparer>>>,
    /// One reads at a time, so that what was read first does not replace what was read later.
    reading: tokio::sync::Mutex<()>,
}

impl PreparersAtHand {
    /// `None` where the program's own is the one.
    pub(super) fn of(&self, project: ProjectId) -> Option<Arc<Preparer>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&project).cloned()
    }
}

impl Engine {
    pub(super) async fn read_sanitizers(&self) -> Result<(), StoreError> {
        let _turn = self.preparers.reading.lock().await;
        let read = self.store.settings(SANITIZER).await?;
        let mut known = HashMap::new();
        for (project, json) in read {
            let sanitizer = SanitizerSettings::from_json(&json).and_then(|s| s.extend(&self.preparer.sanitizer));
            let preparer = match sanitizer {
                Ok(sanitizer) => Some(Arc::new(Preparer { sanitizer, ..self.preparer.clone() })),
                // Written by a later version: what was known before filters more than nothing.
                Err(_) => self.preparers.of(project),
            };
            known.extend(preparer.map(|preparer| (project, preparer)));
        }
        *self.preparers.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }
}

impl Tracker {
    /// What people have added to the sanitizer of a project.
    ///
    /// # Errors
    /// The store cannot be read, or was written by a later version.
    pub async fn sanitizer_settings(&self, project: ProjectId) -> Result<SanitizerSettings, StoreError> {
        let all = self.store().settings(SANITIZER).await?;
        let json = all.into_iter().find(|(id, _)| *id == project).map(|(_, json)| json);
        let read = json.map_or(Ok(SanitizerSettings::default()), |json| SanitizerSettings::from_json(&json));
        read.map_err(|error| StoreError::corrupt(error.to_string()))
    }

    /// Replaces it; `false` if there is no such project. It holds in this process when it returns, in others as soon as
    /// these hear of it. Events that are stored stay as they are.
    ///
    /// # Errors
    /// The store fails.
    pub async fn set_sanitizer_settings(
        &self,
        project: ProjectId,
        settings: &SanitizerSettings,
    ) -> Result<bool, StoreError> {
        let json = settings.to_json();
        let value = (!settings.is_empty()).then_some(json.as_str());
        let is_set = self.store().put_setting(project, SANITIZER, value).await?;
        self.shared.engine.read_sanitizers().await?;
        Ok(is_set)
    }

    /// What the sanitizer would make of a text in an event of this process, or of a report, with these settings.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn preview_sanitizer(
        &self,
        settings: &SanitizerSettings,
        text: &str,
    ) -> Result<String, crate::sanitize::InvalidSettings> {
        let sanitizer = settings.extend(&self.shared.engine.preparer.sanitizer)?;
        let mut event = crate::Event::new();
        event.message = Some(crate::Message::new(text));
        sanitizer.sanitize(&mut event);
        Ok(event.message.map(|message| message.text).unwrap_or_default())
    }
}
