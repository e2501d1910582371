//! The adapters this installation has, by the name of the kind of provider they speak to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use signalbox_core::ledger::Work;

use crate::adapter::Adapter;
use crate::builtin;
use crate::http::Http;

/// Why an adapter was not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Two engines under one name would make it a matter of luck which one is called.
    #[error("an adapter named `{name}` is registered already; unregister it first")]
    Duplicate {
        /// The name both want.
        name: String,
    },
}

/// Holds adapters by name. Looked up on every call, changed hardly ever.
#[derive(Default)]
pub struct Registry {
    adapters: RwLock<BTreeMap<String, Arc<dyn Adapter>>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.list()).finish()
    }
}

impl Registry {
    /// The adapters of this build.
    pub(crate) fn with_builtin(http: &Http) -> Self {
        let adapters = builtin::all(http).into_iter().map(|adapter| (adapter.name().to_owned(), adapter));
        Self { adapters: RwLock::new(adapters.collect()) }
    }

    /// Adds an adapter under its own name.
    ///
    /// Errors: [`RegistryError::Duplicate`]; the one that was there stays.
    pub fn register(&self, adapter: Arc<dyn Adapter>) -> Result<(), RegistryError> {
        let name = adapter.name().to_owned();
        let mut adapters = self.adapters.write().unwrap_or_else(PoisonError::into_inner);
        if adapters.contains_key(&name) {
            return Err(RegistryError::Duplicate { name });
        }
        adapters.insert(name, adapter);
        Ok(())
    }

    /// The adapter of that name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Adapter>> {
        self.adapters.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Names and abilities, sorted by name.
    pub fn list(&self) -> Vec<(String, Vec<Work>)> {
        let adapters = self.adapters.read().unwrap_or_else(PoisonError::into_inner);
        adapters.iter().map(|(name, adapter)| (name.clone(), adapter.capabilities())).collect()
    }

    /// Takes the adapter of that name out, if there is one. Calls under way go on.
    pub fn unregister(&self, name: &str) -> Option<Arc<dyn Adapter>> {
        self.adapters.write().unwrap_or_else(PoisonError::into_inner).remove(name)
    }
}

#[cfg(test)]
mod tests {
    use signalbox_core::provider::ProviderKind;

    use super::*;

    #[derive(Debug)]
    struct Engine(&'static str);

    impl Adapter for Engine {
        fn name(&self) -> &str {
            self.0
        }
    }

    fn builtin() -> Registry {
        Registry::with_builtin(&Http::new().unwrap())
    }

    #[test]
    fn a_second_engine_under_one_name_is_an_error_and_the_first_stays() {
        let registry = Registry::default();
        registry.register(Arc::new(Engine("mine"))).unwrap();
        let first = registry.get("mine").unwrap();
        let refused = registry.register(Arc::new(Engine("mine"))).unwrap_err();
        assert_eq!(refused, RegistryError::Duplicate { name: "mine".to_owned() });
        assert!(Arc::ptr_eq(&first, &registry.get("mine").unwrap()));
        let refused = builtin().register(Arc::new(Engine("openai"))).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "an adapter named `openai` is registered already; unregister it first"
        );
    }

    #[test]
    fn an_unregistered_name_is_free_again() {
        let registry = builtin();
        assert!(registry.unregister("openai").is_some());
        assert!(registry.get("openai").is_none() && registry.unregister("openai").is_none());
        registry.register(Arc::new(Engine("openai"))).unwrap();
        assert_eq!(registry.get("openai").unwrap().capabilities(), []);
    }

    #[test]
    fn every_kind_of_provider_has_an_adapter_that_does_what_the_kind_promises() {
        let registry = builtin();
        assert_eq!(registry.list().len(), ProviderKind::ALL.len());
        for kind in ProviderKind::ALL {
            let adapter = registry.get(kind.as_str()).unwrap();
            assert_eq!(adapter.capabilities(), kind.work(), "{kind:?}");
            assert!(adapter.models().is_some(), "{kind:?} has no free check");
            assert!(kind.has_adapter());
        }
    }
}
