//! Kill −9 of each process at each step of what goes in and out, counted: what was lost, what came twice.

mod files;
mod growing;
mod message;
mod question;
mod stage;
mod unasked;
