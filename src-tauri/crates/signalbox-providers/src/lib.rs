//! Provider adapters: wire dialects, streaming, usage normalised at the edge.
