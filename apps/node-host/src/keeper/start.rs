//! Starts a job: its files, its process group, what it reads and writes.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::Pid;

use super::group::Group;
use super::input::Pen;
use super::output::Copying;
use super::words::{Input, Order, Size, file};
use super::{ARGUMENT, BECOME};

/// A job that runs.
pub(crate) struct Started {
    /// Its processes.
    pub(crate) group: Group,
    /// What writes to it, where it reads what is written while it runs.
    pub(crate) pen: Option<Pen>,
    /// Its terminal.
    pub(crate) terminal: Option<Box<dyn MasterPty + Send>>,
    /// What puts its terminal's output on disk.
    pub(crate) copying: Option<Copying>,
}

/// Starts it. The error is for a person.
pub(crate) fn start(order: &mut Order) -> Result<Started, String> {
    let (program, cwd) = (order.program.display().to_string(), order.cwd.display().to_string());
    if !Path::new(&order.cwd).is_dir() {
        return Err(format!("`{program}` cannot be started: `{cwd}` is no folder"));
    }
    let started = match std::mem::replace(&mut order.input, Input::Nothing) {
        Input::Terminal(size) => on_terminal(order, size),
        input => on_files(order, input).map_err(|error| error.to_string()),
    };
    started.map_err(|error| format!("`{program}` cannot be started in `{cwd}`: {error}"))
}

fn on_files(order: &Order, input: Input) -> io::Result<Started> {
    let mut command = Command::new(&order.program);
    if let Some(name) = order.argv.first() {
        command.arg0(name);
    }
    command.args(order.argv.iter().skip(1)).env_clear().envs(order.env.iter().map(|(k, v)| (k, v)));
    command.current_dir(&order.cwd).process_group(0);
    command.stdout(log(file::STDOUT)?).stderr(log(file::STDERR)?);
    command.stdin(match input {
        Input::Text(text) => Stdio::from(nameless(text.as_bytes())?),
        Input::Open => Stdio::piped(),
        Input::Nothing | Input::Terminal(_) => Stdio::null(),
    });
    let mut child = command.spawn()?;
    let pen = child.stdin.take().map(Pen::new);
    Ok(Started { group: group(child.id())?, pen, terminal: None, copying: None })
}

fn on_terminal(order: &Order, size: Size) -> Result<Started, String> {
    let pair = native_pty_system().openpty(PtySize::from(size)).map_err(|error| error.to_string())?;
    // Both files are there, whatever a job writes to.
    let copy = log(file::STDOUT).and_then(|copy| log(file::STDERR).map(|_| copy));
    let copy = copy.map_err(|error| error.to_string())?;
    let mut command = terminal_command(order)?;
    command.args(order.argv.iter().skip(1));
    command.env_clear();
    for (name, value) in &order.env {
        command.env(name, value);
    }
    command.cwd(&order.cwd);
    let reader = pair.master.try_clone_reader().map_err(|error| error.to_string())?;
    let writer = pair.master.take_writer().map_err(|error| error.to_string())?;
    let child = pair.slave.spawn_command(command).map_err(|error| error.to_string())?;
    // Kept open here, the terminal would never say that nobody is left on it.
    drop(pair.slave);
    let pid = child.process_id().ok_or("it has no process")?;
    let group = group(pid).map_err(|error| error.to_string())?;
    Ok(Started {
        group,
        pen: Some(Pen::of_terminal(writer)),
        terminal: Some(pair.master),
        copying: Some(Copying::begin(reader, copy)),
    })
}

/// A program on a terminal is called by its file; one with another name is reached through ourselves.
fn terminal_command(order: &Order) -> Result<CommandBuilder, String> {
    let called = order.argv.first().map(|name| Path::new(name).file_name());
    if called.is_none_or(|name| name == Path::new(&order.program).file_name()) {
        return Ok(CommandBuilder::new(&order.program));
    }
    let ourselves = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = CommandBuilder::new(ourselves);
    command.args([ARGUMENT, BECOME]);
    command.arg(&order.program);
    command.args(order.argv.iter().take(1));
    Ok(command)
}

impl From<Size> for PtySize {
    fn from(size: Size) -> Self {
        Self { rows: size.rows, cols: size.cols, pixel_width: 0, pixel_height: 0 }
    }
}

fn group(pid: u32) -> io::Result<Group> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.map(Group::new).ok_or_else(|| io::Error::other("it has no process"))
}

/// Opened for appending, so that several may write to it and nothing is overwritten.
fn log(name: &str) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(name)
}

/// A file without a name that holds this: it is read without anybody who must write, and gone with its reader.
fn nameless(bytes: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open("stdin")?;
    std::fs::remove_file("stdin")?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}
