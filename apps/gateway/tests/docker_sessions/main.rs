//! Sessions in containers of a real engine. Without `ARGUS_TEST_DOCKER` each test says that it is skipped.

mod chats;
mod codex;
mod crashes;
mod engine_away;
mod faults;
mod lifecycle;
mod limits;
mod nodes;
mod support;
mod unasked;
mod walls;
