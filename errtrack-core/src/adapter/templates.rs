//! Templates of routes, remembered where a framework finds them anew, and dearly, for every request.

use super::route;
use crate::routes::hash;
use std::{cell::RefCell, fmt, iter, sync::Arc};

/// Paths that are remembered at once; the newer of two that share a place stays.
const PLACES: usize = 256;

/// The templates of the paths that were asked for last. For one thread; some tens of KiB at most.
///
/// Paths that differ in numbers and ids alone are one to it: routes that are told apart by the digits of a number
/// (`/{id:[0-4].*}` beside `/{id:[5-9].*}`) would be taken for one.
///
/// # Example
/// ```
/// let templates = errtrack_core::adapter::Templates::default();
/// let first = templates.find("/orders/7", || Some("/orders/{order}".into()));
/// let second = templates.find("/orders/8", || unreachable!());
/// assert_eq!(first, second);
/// ```
pub struct Templates {
    places: RefCell<Box<[Option<Known>]>>,
    seed: u64,
}

#[derive(Clone)]
struct Known {
    name: Box<str>,
    template: Option<Arc<str>>,
}

impl Default for Templates {
    fn default() -> Self {
        Self { places: RefCell::new(iter::repeat_n(None, PLACES).collect()), seed: crate::routes::seed() }
    }
}

impl Templates {
    /// The template of a path: as it was found before, else what `find` says now. No allocation if it is known.
    pub fn find(&self, path: &str, find: impl FnOnce() -> Option<String>) -> Option<Arc<str>> {
        let mut template = None;
        route::with_name(path, |name| template = self.of_name(name, find));
        template
    }

    fn of_name(&self, name: &str, find: impl FnOnce() -> Option<String>) -> Option<Arc<str>> {
        let at = usize::try_from(hash(self.seed, "", name) % PLACES as u64).unwrap_or_default();
        if let Ok(places) = self.places.try_borrow()
            && let Some(Some(known)) = places.get(at)
            && *known.name == *name
        {
            return known.template.clone();
        }
        let template = find().map(Arc::from);
        if let Ok(mut places) = self.places.try_borrow_mut()
            && let Some(place) = places.get_mut(at)
        {
            *place = Some(Known { name: name.into(), template: template.clone() });
        }
        template
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_found_once_for_paths_of_one_shape() {
        let templates = Templates::default();
        let found = |path: &str, template: &str| templates.find(path, || Some(template.into())).unwrap();
        assert_eq!(&*found("/orders/7", "/orders/{order}"), "/orders/{order}");
        assert_eq!(&*found("/orders/8", "asked again"), "/orders/{order}");
        assert_eq!(&*found("/orders/new", "/orders/new"), "/orders/new");
    }

    #[test]
    fn that_there_is_none_is_remembered_too() {
        let templates = Templates::default();
        assert_eq!(templates.find("/wp-admin", || None), None);
        assert_eq!(templates.find("/wp-admin", || Some("asked again".into())), None);
    }

    #[test]
    fn any_number_of_paths_has_its_templates_and_memory_is_bounded() {
        let templates = Templates::default();
        for user in 0..10_000 {
            let path = format!("/users/n{user}x");
            assert_eq!(templates.find(&path, || Some(path.clone())).as_deref(), Some(&*path));
        }
        assert_eq!(templates.places.borrow().len(), PLACES);
    }
}
