//! Jobs and their keepers, as real processes.

mod bounds;
mod deeds;
mod ending;
mod logs;
mod running;
mod sharing;
mod stage;
mod surviving;
mod telling;
mod terminal;
