//! Real nodes at a real gateway, all as processes: what an agent does with them, and what is lost when one is killed.

mod assistant;
mod losses;
mod many;
mod owner;
