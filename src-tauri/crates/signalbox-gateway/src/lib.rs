//! The HTTP gateway: surfaces per wire family, checks, streaming answers, health.
