//! `/mcp` over real HTTP: sessions, tools, limits, and what is refused.

mod caller;
mod doors;
mod tools;
