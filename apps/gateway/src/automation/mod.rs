//! Who begins turns, and what follows from their ends.

pub mod intake;
pub mod line;
pub mod prompt;
pub mod reactor;
