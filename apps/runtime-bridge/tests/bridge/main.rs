//! A bridge, real agents written as shell scripts, and a gateway that counts.

mod support;

mod agent;
mod bounds;
mod door;
mod ends;
mod node;
mod program;
mod replay;
