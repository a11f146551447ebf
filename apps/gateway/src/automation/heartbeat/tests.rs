//! When heartbeats begin, and what becomes of them.
