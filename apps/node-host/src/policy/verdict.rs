//! What the policy says of a call.

use argus_protocol::node::Fault;

use super::question::Question;
use crate::jobs::plan::RunPlan;

/// What the policy says of a call.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It may be done.
    Allow(Grant),
    /// The owner is to be asked.
    Ask(Question),
    /// It may not, or cannot, be done.
    Deny(Fault),
}

/// What exactly may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// This program, run exactly so.
    Run(RunPlan),
    /// The command as it was called; one that touches files stays below the owner's folders by itself.
    Call,
}

/// A grant that counts: by the owner's rules, or by a yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// What may be done.
    pub grant: Grant,
    /// Who said yes; none: a rule.
    pub by: Option<String>,
}
