//! The health of the targets a decision is about, as the engine sees it at that moment.

use crate::health::TargetView;
use crate::route::Target;

/// What is known of the targets of one chain. A target that is not in it is healthy and was never called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthViews {
    /// A chain is short, so a walk is faster than a hash.
    views: Vec<(Target, TargetView)>,
}

/// What is known of a target that is not in the views.
const UNKNOWN: TargetView = TargetView {
    blocked: None,
    is_probe_due: false,
    is_degraded: false,
    success_bp: None,
    p50_us: None,
    capped_until: None,
    is_full: false,
};

impl HealthViews {
    /// Nothing is known.
    pub const NONE: &'static Self = &Self { views: Vec::new() };

    /// Adds what is known of a target.
    pub fn insert(&mut self, target: Target, view: TargetView) {
        self.views.push((target, view));
    }

    /// What is known of a target.
    pub fn get(&self, target: &Target) -> &TargetView {
        self.views.iter().find(|(known, _)| known == target).map_or(&UNKNOWN, |(_, view)| view)
    }
}

impl FromIterator<(Target, TargetView)> for HealthViews {
    fn from_iter<I: IntoIterator<Item = (Target, TargetView)>>(views: I) -> Self {
        Self { views: views.into_iter().collect() }
    }
}
