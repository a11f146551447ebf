//! What is to be done about the container of a session: a pure decision from what is wanted and what was found.

use super::found::{Found, State};
use super::spec::{ContainerSpec, label};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Make one.
    Create,
    /// Call the bridge in it.
    Reuse,
    /// Start it again.
    Start,
    /// Remove it and make another.
    Replace(Change),
    /// The same, if its bridge says that nothing is lost with it; else call the bridge.
    ReplaceIfFree(Change),
    /// Leave it alone and say why it cannot be used.
    Refuse(Obstacle),
}

/// Why a container is not the one wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The image's name means another image now.
    Image,
    /// It was made from other settings.
    Posture,
    /// It cannot be started any more.
    Broken,
}

/// Why a container can be neither used nor replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Somebody else's has the name.
    Foreign,
    /// Somebody paused it.
    Paused,
}

/// Decides; `image` is the id that the wanted image's name means now, where it means any.
pub(super) fn decide(
    wanted: &ContainerSpec,
    image: Option<&str>,
    installation: &str,
    found: Option<&Found>,
) -> Decision {
    let Some(found) = found else { return Decision::Create };
    if !found.is_of(installation) {
        return Decision::Refuse(Obstacle::Foreign);
    }
    match (found.state, change(wanted, image, found)) {
        (State::Paused, _) => Decision::Refuse(Obstacle::Paused),
        (State::Broken, _) => Decision::Replace(Change::Broken),
        (State::Running, None) => Decision::Reuse,
        (State::Running, Some(change)) => Decision::ReplaceIfFree(change),
        (State::Stopped, None) => Decision::Start,
        (State::Stopped, Some(change)) => Decision::Replace(change),
    }
}

/// Without an image of that name nothing better could be made, so an old one is none.
fn change(wanted: &ContainerSpec, image: Option<&str>, found: &Found) -> Option<Change> {
    let image = image?;
    if found.label(label::SPEC) != Some(wanted.posture()) {
        return Some(Change::Posture);
    }
    (found.label(label::IMAGE) != Some(image)).then_some(Change::Image)
}

#[cfg(test)]
mod tests {
    use super::super::spec::tests::{INSTALLATION, settings, spec};
    use super::*;

    fn found(state: State, image: &str, posture: &str) -> Found {
        let labels = [
            (label::GATEWAY, "argus"),
            (label::INSTALLATION, INSTALLATION),
            (label::SPEC, posture),
            (label::IMAGE, image),
        ];
        Found {
            id: "c1".into(),
            name: "argus-session-s1".into(),
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            state,
            addresses: [].into(),
        }
    }

    #[test]
    fn what_is_found_is_used_started_replaced_or_made() {
        use {Change as C, Decision as D, State as S};
        let wanted = spec(&settings());
        let same = wanted.posture();
        assert_eq!(decide(&wanted, Some("i1"), INSTALLATION, None), D::Create);
        for (state, image, posture, decision) in [
            (S::Running, "i1", same, D::Reuse),
            (S::Running, "i0", same, D::ReplaceIfFree(C::Image)),
            (S::Running, "i1", "other", D::ReplaceIfFree(C::Posture)),
            (S::Stopped, "i1", same, D::Start),
            (S::Stopped, "i0", same, D::Replace(C::Image)),
            (S::Stopped, "i1", "other", D::Replace(C::Posture)),
            (S::Broken, "i1", same, D::Replace(C::Broken)),
            (S::Paused, "i1", same, D::Refuse(Obstacle::Paused)),
        ] {
            let there = found(state, image, posture);
            assert_eq!(decide(&wanted, Some("i1"), INSTALLATION, Some(&there)), decision, "{there:?}");
        }
    }

    #[test]
    fn a_container_is_not_given_up_for_an_image_that_is_not_there() {
        let wanted = spec(&settings());
        let decided = |state| decide(&wanted, None, INSTALLATION, Some(&found(state, "i0", "other")));
        assert_eq!((decided(State::Running), decided(State::Stopped)), (Decision::Reuse, Decision::Start));
    }

    #[test]
    fn a_container_of_somebody_else_is_never_touched() {
        let wanted = spec(&settings());
        let there = found(State::Stopped, "i1", wanted.posture());
        let foreign = Decision::Refuse(Obstacle::Foreign);
        assert_eq!(decide(&wanted, Some("i1"), "another", Some(&there)), foreign);
        let reference =
            Found { labels: [(label::GATEWAY.to_owned(), "apps/api".to_owned())].into(), ..there };
        assert_eq!(decide(&wanted, Some("i1"), INSTALLATION, Some(&reference)), foreign);
    }
}
