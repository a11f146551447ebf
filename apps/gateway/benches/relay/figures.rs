//! What was measured, and the table it becomes.

/// One measurement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// The figures, in the order of the row's names.
    pub(crate) figures: Vec<f64>,
    /// What the relay's process spent for one frame, in microseconds; `None` where that says nothing.
    pub(crate) cpu_us: Option<f64>,
}

/// A row: what was done, and what one measurement of it gives.
pub(crate) struct Row {
    /// What was done.
    pub(crate) what: String,
    /// Names of the figures, with their units.
    pub(crate) figures: &'static [&'static str],
}

/// Prints the table's head.
pub(crate) fn head() {
    println!("| | | ours | bare | ours ÷ bare | CPU µs a frame: ours | bare |");
    println!("|---|---|--:|--:|--:|--:|--:|");
}

impl Row {
    /// Prints the medians of what was measured in turn.
    pub(crate) fn print(&self, ours: &[Measured], bare: &[Measured]) {
        let cpu = |measured: &[Measured]| {
            let all = measured.iter().map(|one| one.cpu_us).collect::<Option<Vec<_>>>();
            all.filter(|all| !all.is_empty()).map_or(String::new(), |all| number(median(all)))
        };
        for (at, name) in self.figures.iter().enumerate() {
            let of = |measured: &[Measured]| {
                let all = measured.iter().filter_map(|one| one.figures.get(at).copied());
                median(all.collect())
            };
            let (mine, theirs) = (of(ours), of(bare));
            let ratio = if theirs > 0.0 { format!("{:.2}", mine / theirs) } else { String::new() };
            let theirs = if bare.is_empty() { String::new() } else { number(theirs) };
            let [cpu_ours, cpu_bare] = if at == 0 { [cpu(ours), cpu(bare)] } else { Default::default() };
            println!(
                "| {} | {name} | {} | {theirs} | {ratio} | {cpu_ours} | {cpu_bare} |",
                self.what,
                number(mine)
            );
        }
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The value below which that share (of 100) lies.
pub(crate) fn percentile(values: &mut [u32], share: usize) -> f64 {
    values.sort_unstable();
    let at = (values.len() * share / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().map_or(0.0, f64::from)
}

/// Three digits of it, and thousands apart.
fn number(value: f64) -> String {
    if value < 100.0 {
        return if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") };
    }
    let mut digits = format!("{value:.0}");
    for at in (1..digits.len()).rev().filter(|at| (digits.len() - at).is_multiple_of(3)).collect::<Vec<_>>() {
        digits.insert(at, ',');
    }
    digits
}
