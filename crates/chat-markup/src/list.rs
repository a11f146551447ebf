//! Lists as chat text: markers, numbers, indentation.

const BULLET: &str = "• ";
/// What one level of lists is indented by.
const INDENT: &str = "  ";
/// The level from which lists are indented no further.
const DEEPEST: usize = 8;

/// The lists that are open, outermost first.
#[derive(Debug, Default)]
pub(crate) struct Lists(Vec<List>);

#[derive(Debug)]
struct List {
    numbering: Numbering,
    spacing: Spacing,
    items: usize,
}

#[derive(Debug)]
enum Numbering {
    Bullets,
    From(u64),
}

/// Whether the items of a list are set apart by blank lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spacing {
    Tight,
    Loose,
}

impl Lists {
    /// How many lists are open.
    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }

    /// Opens a list, numbered from `first` if that is given.
    pub(crate) fn open(&mut self, first: Option<u64>) {
        let numbering = first.map_or(Numbering::Bullets, Numbering::From);
        self.0.push(List { numbering, spacing: Spacing::Tight, items: 0 });
    }

    /// Closes the innermost list.
    pub(crate) fn close(&mut self) {
        self.0.pop();
    }

    /// Notes that an item of the innermost list holds whole paragraphs.
    pub(crate) fn loosen(&mut self) {
        if let Some(list) = self.0.last_mut() {
            list.spacing = Spacing::Loose;
        }
    }

    /// The spacing of the innermost list, as far as it has been read.
    pub(crate) fn spacing(&self) -> Spacing {
        self.0.last().map_or(Spacing::Loose, |list| list.spacing)
    }

    /// Whether the innermost list has no item yet.
    pub(crate) fn is_new(&self) -> bool {
        self.0.last().is_none_or(|list| list.items == 0)
    }

    /// The marker of the next item, which is `item` in the source, with the space after it.
    pub(crate) fn next_marker(&mut self, item: &str) -> String {
        let Some(list) = self.0.last_mut() else { return BULLET.to_owned() };
        list.items += 1;
        match &mut list.numbering {
            Numbering::From(number) => {
                let mark = item.trim_start().trim_start_matches(|ch: char| ch.is_ascii_digit());
                let mark = if mark.starts_with(')') { ')' } else { '.' };
                let marker = format!("{number}{mark} ");
                *number = number.saturating_add(1);
                marker
            }
            Numbering::Bullets => BULLET.to_owned(),
        }
    }

    /// Turns the marker at the end of `lead` into that of a task.
    pub(crate) fn mark_task(&self, lead: &mut String, checked: &'static str) {
        if let Some(Numbering::Bullets) = self.0.last().map(|list| &list.numbering) {
            lead.truncate(lead.strip_suffix(BULLET).map_or(lead.len(), str::len));
        }
        lead.push_str(checked);
        lead.push(' ');
    }
}

/// The indentation at a depth of lists; none at 0.
pub(crate) fn indentation(depth: usize) -> String {
    INDENT.repeat(depth.min(DEEPEST))
}
