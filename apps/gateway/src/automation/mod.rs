//! Who begins turns, and what follows from their ends.

mod given;
pub mod intake;
pub mod line;
pub mod prompt;
pub mod reactor;
mod wishes;
