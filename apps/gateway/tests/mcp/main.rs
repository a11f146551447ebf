//! `/mcp` over real HTTP: sessions, tools, limits, and what is refused.

mod caller;
mod codex;
mod commands;
mod conformance;
mod document;
mod doors;
mod ends;
mod messages;
mod refusals;
mod tools;
